#!/bin/sh
# one_node_slurm.sh FOLDER COMMAND...: a Slurm of this machine alone, for as long as the command
# runs. Everything it writes lies in FOLDER; it takes Debian's slurm-wlm and munge, and root.
set -eu
folder=$(mkdir -p "$1" && cd "$1" && pwd); shift
host=$(hostname -s)
for program in slurmctld slurmd munged mungekey; do
    PATH="$PATH:/usr/sbin" command -v $program > /dev/null ||
        { echo "there is no $program here: apt-get install slurm-wlm munge"; exit 2; }
done
export PATH="$PATH:/usr/sbin" SLURM_CONF="$folder/slurm.conf"
mkdir -p "$folder/state" "$folder/spool"
cat > "$SLURM_CONF" <<END
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=10
NodeName=$host NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
rm -f "$folder/munge.key"
mungekey --create --keyfile="$folder/munge.key"
munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
    --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" \
    --seed-file="$folder/munged.seed" > "$folder/munged.out" 2>&1 &
daemons=$!
trap 'scancel --user="$(id -un)" 2> /dev/null; kill $daemons 2> /dev/null; wait' EXIT
while [ ! -S "$folder/munge.socket" ]; do sleep 0.2; done
slurmctld -D -c > "$folder/slurmctld.out" 2>&1 & daemons="$! $daemons"
slurmd -D -N "$host" > "$folder/slurmd.out" 2>&1 & daemons="$! $daemons"
waited=0
until sinfo --noheader --format=%T 2> /dev/null | grep -q idle; do
    sleep 1; waited=$((waited + 1))
    [ $waited -lt 60 ] || { tail -n 5 "$folder"/*.log "$folder"/*.out; exit 2; }
done
"$@"
