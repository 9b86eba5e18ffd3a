"""The endpoints, a module a topic; each is a function from the store and a request to an answer."""
