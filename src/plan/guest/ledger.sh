# The ledger's files on the machine: one operator at a time, every record whole or not at all.

# ov_open RUN_DIR DEPLOY_ID OWNER: prepares directories and holds the lock for as long as this shell lives. 75: busy. Without
# a deploy id nothing is made: a machine without a ledger stays without one. The run directory is only named.
ov_open() {
    local LC_ALL=C had_config=1 had_tree=1
    ov_paths "$1" "$HOME/.config/overthink/installed" "$2"
    umask 022
    [[ -d $HOME/.config ]] || had_config=
    # A deploy names at least its records.
    [[ -z $2 ]] || ov_named_once=$BASHPID
    until
        if [[ -n $2 ]]; then
            [[ -d $ov_backup && -d $HOME/.config/overthink/env.d ]] ||
                ov_make_dirs "$HOME"/.config{,/overthink{,/env.d,/installed{,/deploys,/layers,/journal,/backup}}} "$ov_backup" || return
        elif [[ ! -d $ov_ledger ]]; then
            had_tree=
            break
        fi
        exec {ov_lock_fd}>>"$ov_ledger/.lock" || return
        flock -w 30 "$ov_lock_fd" || {
            printf 'ov: another deploy holds this machine: %s\n' "$(<"$ov_ledger/.lock.owner")" >&2
            exec {ov_lock_fd}>&-
            return 75
        }
        # The last teardown removes the lock with the tree: then it was the wrong one.
        [[ $ov_ledger/.lock -ef /proc/self/fd/$ov_lock_fd ]]
    do exec {ov_lock_fd}>&-; done
    if [[ -n $had_tree ]]; then
        ov_await_root || return
        printf '%s\n' "$3" >"$ov_ledger/.lock.owner" || return
    fi
    if [[ -n $2 ]]; then
        : >>"$ov_journal" || return
        if [[ -z $had_config ]]; then
            local ov_record='"v":1,"layer":"","step":-1'
            ov_op rmdir-if-empty "$HOME/.config" || return
        fi
    fi
}

# The run directory, for whatever does not fit into the runner. It goes with this shell; a shell that runs but one script
# leaves it to the last one, which calls ov_drop_run, unless it was the last: its script was ended or its operator is gone.
ov_make_run() {
    [[ -d $ov_run && -O $ov_run && ! -L $ov_run ]] || ov_make_dir 0711 "$ov_run" || return
    trap '[[ -n ${ov_alone-} && -z ${ov__cut-} ]] || ov_drop_run' EXIT
}
ov_drop_run() {
    if [[ -n $ov_run && -d $ov_run ]]; then
        cd / || return
        # An upload that was cut may still put its file there.
        rm -rf -- "$ov_run" 2>/dev/null || { sleep 0.2; rm -rf -- "$ov_run"; }
    fi
}

# What an operator who died may have left at work.
ov_await_root() {
    local pid started stat tries=0
    [[ -s $ov_ledger/.root ]] && read -r pid started <"$ov_ledger/.root" || return 0
    while [[ $pid && -e /proc/$pid/stat ]] && read -r stat <"/proc/$pid/stat" 2>/dev/null; do
        ov_start_time "$stat"
        [[ $ov_started == "$started" && $stat != *') Z '* ]] || break
        ((tries++ < 150)) || {
            echo 'ov: a step of an earlier deploy is still at work as root' >&2
            return 75
        }
        sleep 0.2
    done
}

# ov_save NAME TEXT [NAME TEXT]...: files below the ledger.
ov_save() {
    local LC_ALL=C name temps=() names=()
    while (($#)); do
        printf %s "$2" >"$ov_ledger/$1.$BASHPID.tmp" || return
        temps+=("$ov_ledger/$1.$BASHPID.tmp") names+=("$1")
        shift 2
    done
    [[ ! -e $ov_journal ]] || temps+=("$ov_journal")
    ov_sync "${temps[@]}" || return
    for name in "${names[@]}"; do ov_rename "$ov_ledger/$name.$BASHPID.tmp" "$ov_ledger/$name" || return; done
}

ov_forget() {
    local name
    for name; do rm -rf -- "${ov_ledger:?}/$name" || return; done
}

# ov_folded DEPLOY_ID...: these journals have become records.
ov_folded() {
    local id
    for id; do : >"${ov_ledger:?}/journal/$id.jsonl" || return; done
}

# ov_end_ledger: the tree goes with its last record; what others put there stays.
ov_end_ledger() {
    local root=$HOME/.config/overthink
    rm -rf -- "$ov_ledger/backup" "$ov_ledger/journal"
    rm -f -- "$ov_ledger"/{deploys,layers}/*.tmp "$ov_ledger"/*.tmp
    rm -f -- "$ov_ledger/.lock" "$ov_ledger/.lock.owner" "$ov_ledger/.root" "$ov_ledger/global.json"
    rmdir --ignore-fail-on-non-empty -- "$ov_ledger"/{deploys,layers} "$ov_ledger" "$root/env.d" "$root" 2>/dev/null || true
}
