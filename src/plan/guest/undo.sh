# Undoing: each function takes back one recorded operation. What is gone already is no error.

# ov_changed_since DIGEST PATH: says so when somebody edited a file after the deploy; the deploy is undone all the same.
ov_changed_since() {
    local now
    [[ -n $1 && -f $2 && ! -L $2 ]] || return 0
    now=$(sha256sum -- "$2") && now=${now#\\}
    [[ ${now%% *} == "$1" ]] || printf 'ov: %s was changed after the deploy\n' "$2"
}

# ov_rm_file DIGEST PATH: DIGEST is what the deploy wrote, or empty.
ov_rm_file() {
    ov_changed_since "$1" "$2"
    if [[ -n $1 ]]; then rm -f -- "$2" "${2%/*}/.ov-${1:0:16}"; else rm -f -- "$2"; fi
}

ov_rm_tree() {
    [[ $1 == /*/* ]] || ov_fail "refusing to remove $1" || return
    rm -rf -- "$1"
}

# A directory that is still in use, perhaps by another layer, is reported: it is tried again with the last one.
ov_rmdir() {
    [[ -d $1 && ! -L $1 ]] || return 0
    rmdir --ignore-fail-on-non-empty -- "$1" || return
    [[ ! -d $1 ]] || echo "ov-kept $1"
}

# ov_restore_file BACKUP PATH DIGEST
ov_restore_file() {
    local temp=${2%/*}/.ov-${3:0:16}
    [[ -n $3 ]] || temp=$2.ov-old
    ov_changed_since "$3" "$2"
    [[ -e $1 || -L $1 ]] || ov_fail "the copy $1 of $2 is gone" || return
    rm -rf -- "$temp"
    cp -a -- "$1" "$temp" || return
    # A directory cannot be renamed over one that has something in it.
    if [[ -d $temp && ! -L $temp && -d $2 && ! -L $2 ]]; then rm -rf -- "$2" || return; fi
    ov_rename "$temp" "$2"
}

# ov_restore_mode MODE UID:GID PATH
ov_restore_mode() {
    [[ -e $3 ]] || return 0
    [[ $EUID != 0 || -z $2 ]] || chown -- "$2" "$3" || return
    chmod -- "$1" "$3"
}

ov_undo_linger() {
    [[ ! -e /var/lib/systemd/linger/$1 ]] || loginctl disable-linger -- "$1"
}
