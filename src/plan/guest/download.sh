# Downloads: fetched and checked in the run directory, then placed like any other file or tree.

# ov_fetch URL CHECKSUM: leaves the file in $ov_fetched/archive; removed when the step ends.
ov_fetch() {
    ov_fetched=$(mktemp -d "${ov_run:-/tmp}/download.XXXXXX") || return
    trap 'rm -rf -- "$ov_fetched"' EXIT
    curl -fL --retry 3 -sS -o "$ov_fetched/archive" -- "$1" || ov_fail "cannot download $1" || return
    [[ -z $2 ]] || printf '%s  %s\n' "${2#sha256:}" "$ov_fetched/archive" | sha256sum -c --status ||
        ov_fail "$1: the checksum is not $2"
}

# ov_download MODE PATH URL CHECKSUM [OWNER]: one plain file.
ov_download() {
    ov_fetch "$3" "$4" || return
    local digest
    digest=$(sha256sum -- "$ov_fetched/archive") || return
    ov_copy "$1" "$2" "${digest%% *}" "$ov_fetched/archive" "${5-}"
}

# ov_unpack FORMAT DIR URL CHECKSUM STRIP OWNER [MEMBER...]: an archive's members below DIR.
ov_unpack() {
    local format=$1 dir=$2 strip=$5 owner=$6 work
    ov_fetch "$3" "$4" || return
    shift 6
    ov_mkdir '' "$dir" "$owner" || return
    work=$dir/.ov-unpack
    ov_op rm-dir-recursive "$work" || return
    rm -rf -- "$work"
    mkdir -- "$work" || return
    local tar=(tar --no-same-owner -C "$work" "--strip-components=$strip")
    case $format in
        tar.gz) "${tar[@]}" -xzf "$ov_fetched/archive" "$@" ;;
        tar.xz) "${tar[@]}" -xJf "$ov_fetched/archive" "$@" ;;
        tar.zst) "${tar[@]}" --zstd -xf "$ov_fetched/archive" "$@" ;;
        zip) unzip -q "$ov_fetched/archive" "$@" -d "$work" ;;
        *) ov_fail "unsupported extract format: $format" ;;
    esac || {
        rm -rf -- "$work"
        return 1
    }
    [[ -z $owner ]] || chown -R -- "$owner:" "$work" || return
    local from=$work only
    if [[ $format == zip ]]; then
        for (( ; strip > 0; strip--)); do
            only=("$from"/*/)
            from=${only[0]%/}
        done
    fi
    ov_merge_tree "$from" "$dir" && rm -rf -- "$work"
}

# ov_merge_tree FROM TO: moves every entry; a new directory is one operation, an existing one is entered.
ov_merge_tree() {
    local entry there file=rm-file-user
    [[ $EUID != 0 ]] || file=rm-file-system
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        [[ -e $entry || -L $entry ]] || continue
        there=$2/${entry##*/}
        if [[ -d $entry && ! -L $entry && -d $there ]]; then
            ov_merge_tree "$entry" "$there" || return
            continue
        fi
        if [[ -d $there && ! -L $there ]] || [[ -d $entry && ! -L $entry && -e $there ]]; then
            ov_fail "$there is in the way" || return
        elif [[ -f $entry && -f $there ]] && cmp -s -- "$entry" "$there"; then
            continue
        elif [[ -e $there || -L $there ]]; then
            ov_back_up "$there" '' || return
        elif [[ -d $entry && ! -L $entry ]]; then
            ov_op rm-dir-recursive "$there" || return
        else
            ov_op "$file" "$there" || return
        fi
        ov_rename "$entry" "$there" || return
        ov_changed=1
    done
}

# ov_run_installer URL CHECKSUM: a downloaded script that installs by itself.
ov_run_installer() {
    ov_fetch "$1" "$2" || return
    chmod +x -- "$ov_fetched/archive" || return
    "$ov_fetched/archive"
}
