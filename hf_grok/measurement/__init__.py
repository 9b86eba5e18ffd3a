"""How anything is measured: in evaluation mode, exactly, every row once, leaving no trace."""
