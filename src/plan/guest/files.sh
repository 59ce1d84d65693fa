# Files, directories and links: compared first, recorded, then changed in one rename.
declare -gA ov_uploads

# ov_parents PATH [OWNER [MODE]]: makes the missing directories above PATH; MODE is for the last of them.
ov_parents() {
    local dir=${1%/*} missing=()
    while [[ -n $dir && ! -d $dir ]]; do
        missing=("$dir" "${missing[@]}")
        dir=${dir%/*}
    done
    ((${#missing[@]})) || return 0
    for dir in "${missing[@]}"; do ov_op rmdir-if-empty "$dir" || return; done
    umask 022
    if [[ -z ${3-} || $((8#$3)) == $((8#0755)) ]]; then
        ov_make_dirs "${missing[@]}" || return
    else
        ((${#missing[@]} == 1)) || ov_make_dirs "${missing[@]:0:${#missing[@]}-1}" || return
        ov_make_dir "$3" "${missing[-1]}" || return
    fi
    [[ -z ${2-} ]] || chown -- "$2:" "${missing[@]}" || return
    ov_changed=1
}

# ov_attributes MODE PATH [OWNER]: gives an existing path its mode and owner.
ov_attributes() {
    local now mode uid
    now=$(stat -c '%a %u %u:%g' -- "$2") || return
    mode=${now%% *} uid=${now#* }
    uid=${uid%% *}
    local wanted=$uid
    case ${3-} in
        '') ;;
        *[!0-9]*) wanted=$(id -u -- "$3") || return ;;
        *) wanted=$3 ;;
    esac
    ((8#$mode == 8#$1 && uid == wanted)) && return
    ov_op restore-mode "$2" mode "$mode" owner "${now##* }" || return
    ((uid == wanted)) || chown -- "$3:" "$2" || return
    chmod -- "$1" "$2" || return
    ov_changed=1
}

# ov_mkdir MODE PATH [OWNER]: an existing directory keeps its mode when MODE is empty.
ov_mkdir() {
    if [[ -d $2 ]]; then
        [[ -z $1 ]] || ov_attributes "$1" "$2"
        return
    fi
    ov_parents "$2/" "${3-}" "$1"
}

# ov_back_up PATH DIGEST: keeps a copy of what will be replaced by content with DIGEST.
ov_back_up() {
    [[ -n ${ov_record-} ]] || return 0
    local copy n=1
    while copy=$ov_backup/$n && [[ -e $copy || -L $copy ]]; do n=$((n + 1)); done
    cp -a -- "$1" "$copy" && ov_op restore-file "$1" backup "$copy" digest "$2" || return
    # A rename outlives a power cut sooner than the bytes of a copy: the old ones would be nowhere.
    if [[ -f $copy && ! -L $copy ]]; then ov_sync "$copy" "$ov_journal"; else sync; fi
}

# ov_write MODE PATH DIGEST CONTENT [OWNER [KIND]]: exactly these bytes; KIND is the reverse operation of a new file.
ov_write() {
    local ov_content=$4 ov_staged=
    ov_place "$1" "$2" "$3" "${5-}" "${6-}"
}

# ov_copy MODE PATH DIGEST STAGED [OWNER [KIND]]: the bytes of a file that was uploaded. Those of a small one wait in
# ov_uploads, in the form that `printf %b` takes, and are taken from there.
ov_copy() {
    local ov_content= ov_staged=$4
    ov_place "$1" "$2" "$3" "${5-}" "${6-}" || return
    if [[ -n ${ov_uploads[$4]+x} ]]; then unset "ov_uploads[$4]"; fi
}

ov_place() {
    local LC_ALL=C path=$2 kind=$5 temp=${2%/*}/.ov-${3:0:16}
    if [[ -z $kind ]]; then
        kind=rm-file-user
        [[ $EUID != 0 ]] || kind=rm-file-system
    fi
    [[ ! -d $path || -L $path ]] || ov_fail "$path is a directory" || return
    if [[ -e $path || -L $path ]]; then
        if ov_same "$path" && [[ $EUID == 0 || -O $path ]]; then
            ov_attributes "$1" "$path" "${4:-$EUID}"
            return
        fi
        ov_back_up "$path" "$3" || return
    else
        ov_parents "$path" "$4" || return
        ov_op "$kind" "$path" digest "$3" || return
    fi
    ov_fill "$temp" "$1" "$4" && ov_rename "$temp" "$path" || {
        rm -f -- "$temp"
        return 1
    }
    ov_changed=1
}

# Compares the wanted bytes with those of a regular file.
ov_same() {
    local old
    [[ -f $1 && ! -L $1 ]] || return
    if [[ -n $ov_staged && -n ${ov_uploads[$ov_staged]+x} ]]; then
        printf %b "${ov_uploads[$ov_staged]}" | cmp -s -- - "$1"
    elif [[ -n $ov_staged ]]; then
        cmp -s -- "$ov_staged" "$1"
    elif IFS= read -r -d '' old <"$1"; then
        return 1 # it holds a NUL byte
    else
        [[ $old == "$ov_content" ]]
    fi
}

# ov_fill TEMP MODE OWNER: a new file, never more readable than the result will be.
ov_fill() {
    local mask=077 status=0
    ((8#$2 & ~0666)) || [[ -n $3 ]] || printf -v mask %o $((0777 & ~8#$2))
    [[ ! -e $1 && ! -L $1 ]] || rm -f -- "$1"
    umask "$mask"
    set -C
    if [[ -n $ov_staged && -n ${ov_uploads[$ov_staged]+x} ]]; then
        printf %b "${ov_uploads[$ov_staged]}" >"$1" || status=1
    elif [[ -n $ov_staged ]]; then
        cat -- "$ov_staged" >"$1" || status=1
    else
        printf %s "$ov_content" >"$1" || status=1
    fi
    set +C
    umask 022
    ((status == 0)) || return
    [[ -z $3 ]] || chown -- "$3:" "$1" || return
    [[ $mask != 077 ]] || chmod -- "$2" "$1"
}

# ov_link TARGET PATH [OWNER]
ov_link() {
    local kind=rm-file-user
    [[ $EUID != 0 ]] || kind=rm-file-system
    [[ ! -d $2 || -L $2 ]] || ov_fail "$2 is a directory" || return
    if [[ -L $2 && $(readlink -- "$2") == "$1" ]]; then return; fi
    if [[ -e $2 || -L $2 ]]; then
        ov_back_up "$2" '' || return
    else
        ov_parents "$2" "${3-}" || return
        ov_op "$kind" "$2" link "$1" || return
    fi
    ov_symlink "$1" "$2" || return
    [[ -z ${3-} ]] || chown -h -- "$3:" "$2" || return
    ov_changed=1
}

# ov_expect PATH...: what an installer that nobody can look into is going to make or replace.
ov_expect() {
    local path kind=rm-file-user
    [[ $EUID != 0 ]] || kind=rm-file-system
    for path; do
        if [[ -e $path || -L $path ]]; then
            [[ -d $path && ! -L $path ]] || ov_back_up "$path" '' || return
        else
            ov_op "$kind" "$path" || return
        fi
    done
}
