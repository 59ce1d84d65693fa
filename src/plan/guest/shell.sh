# What every shell of a deploy knows of its surroundings; root's needs no more of the ledger.

# ov_paths RUN_DIR LEDGER DEPLOY_ID
ov_paths() {
    ov_run=$1 ov_ledger=$2 ov_journal=$2/journal/$3.jsonl ov_backup=$2/backup/$3
    ov_machine=$HOSTTYPE
    [[ $HOSTTYPE == x86_64 || $HOSTTYPE == aarch64 ]] || ov_machine=$(uname -m)
}

# Root's runner cannot hold the lock as well. It leaves its identity instead: when its operator died, its last step may still
# be at work although the lock is free.
ov_mark_root() {
    local stat
    # A sudo that keeps the user's PATH: the programs of root's steps are in these.
    [[ :$PATH: == *:/usr/sbin:* ]] || PATH+=:/usr/local/sbin:/usr/sbin:/sbin
    # With its data in the file system's own journal, a record is on the disk before what the step did after it (ext4; others
    # have no such flag). Without it names are there after a power cut seconds before the bytes of files that nobody synced.
    [[ ! -e $ov_journal ]] || chattr +j -- "$ov_journal" 2>/dev/null || :
    read -r stat <"/proc/$BASHPID/stat" && ov_start_time "$stat" && printf '%s %s\n' "$BASHPID" "$ov_started" >"$ov_ledger/.root"
}

# Field 22 of a stat line; the name in field 2 may hold anything.
ov_start_time() {
    local fields
    read -r -a fields <<<"${1##*)}"
    ov_started=${fields[19]}
}
