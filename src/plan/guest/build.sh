# What builders made on the operator's machine: unpacked beside its place, compared, recorded, moved.

# ov_unpack ARCHIVE [PATTERN...]: the files of a tar for the deploy user's home. The archive stands in a directory of its own,
# which goes. Directories that match a PATTERN (relative to the home) belong to the deploy as a whole.
ov_unpack() {
    local archive=$1 stage=$1.d status=0
    shift
    rm -rf -- "$stage"
    mkdir -m 0700 -- "$stage" && tar -C "$stage" --no-same-owner -xpf "$archive" || status=1
    rm -f -- "$archive"
    ((status)) || ov_place_tree "$stage" "$@" || status=1
    rm -rf -- "${archive%/*}"
    return "$status"
}

ov_place_tree() {
    local stage=$1 path name target pattern digest mode prune=()
    shift
    for pattern; do prune+=(-path "$stage/$pattern" -prune -print0 -o); done
    while IFS= read -r -d '' path; do
        name=${path#"$stage"/}
        target=$HOME/$name
        if [[ -L $path ]]; then
            digest=$(readlink -- "$path") && ov_link "$digest" "$target" || return
        elif [[ -d $path ]]; then
            for pattern; do
                # The same words as those of find, on purpose not quoted.
                [[ $name != $pattern ]] || break
                pattern=
            done
            if [[ -n ${pattern-} ]]; then
                ov_place_whole "$path" "$target" || return
            elif [[ ! -d $target ]]; then
                ov_parents "$target/" || return
            fi
        else
            digest=$(sha256sum <"$path") && mode=$(stat -c %a -- "$path") || return
            local ov_content= ov_staged=$path
            ov_place "0$mode" "$target" "${digest%% *}" '' '' || return
        fi
    done < <(find "$stage" -mindepth 1 "${prune[@]}" -print0)
}

ov_place_whole() {
    if [[ -e $2 || -L $2 ]]; then
        if [[ -d $2 && ! -L $2 ]] && diff -rq --no-dereference -- "$1" "$2" >/dev/null 2>&1; then return; fi
        ov_back_up "$2" '' && rm -rf -- "$2" || return
    else
        ov_parents "$2" && ov_op rm-dir-recursive "$2" || return
    fi
    ov_rename "$1" "$2" || return
    ov_changed=1
}

# ov_pacman_files ARCHIVE [REPLACED...]: installs the packages in a tar, after removing those that they take the place of.
ov_pacman_files() {
    local archive=$1 stage=$1.d status=0 name before n=1 there=()
    shift
    rm -rf -- "$stage"
    mkdir -m 0700 -- "$stage" && tar -C "$stage" --no-same-owner -xpf "$archive" || return
    rm -f -- "$archive"
    ov_repair_packages pac
    while before=${ov_backup-}/packages.$n && [[ -e $before ]]; do n=$((n + 1)); done
    if [[ -n ${ov_record-} ]]; then
        ov_package_list pac >"$before" && ov_package_op pac "$before" && ov_sync "$before" "$ov_journal" || return
    fi
    for name; do
        [[ $(pacman -Qq -- "$name" 2>/dev/null) != "$name" ]] || there+=("$name")
    done
    ((${#there[@]} == 0)) || pacman -Rs --noconfirm "${there[@]}" || return
    pacman -U --noconfirm --needed "$stage"/*.pkg.tar.* || status=$?
    rm -rf -- "$stage"
    ov_changed=1
    [[ -z ${ov_record-} ]] || ov_added_packages pac "$before" || return
    return "$status"
}
