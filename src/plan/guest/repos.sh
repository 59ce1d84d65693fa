# Package repositories: every file that is made for one is recorded, and the lists are read again afterwards.

# ov_repo_file PATH DIGEST TEXT
ov_repo_file() {
    ov_write 0644 "$1" "$2" "$3" '' remove-repo-file || return
    rm -f -- "${ov_run:-/tmp}"/apt-updated.*
}

# ov_apt_key PATH URL: the signing key of a deb repository, dearmored.
ov_apt_key() {
    local digest
    ov_fetch "$2" '' || return
    if grep -q 'BEGIN PGP' "$ov_fetched/archive"; then
        gpg --batch --yes --dearmor -o "$ov_fetched/key" "$ov_fetched/archive" || return
    else
        mv -- "$ov_fetched/archive" "$ov_fetched/key"
    fi
    digest=$(sha256sum -- "$ov_fetched/key") || return
    ov_copy 0644 "$1" "${digest%% *}" "$ov_fetched/key" '' remove-repo-file
}

# ov_repo_url PATH URL NAME [GPGCHECK]: a .repo file that is published as such. Its repository NAME is off except for the
# install that names it; GPGCHECK, if given, goes over what the publisher says.
ov_repo_url() {
    local digest line section='' found=''
    ov_fetch "$2" '' || return
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        if [[ $line == '['*']'* ]]; then
            section=${line#'['} section=${section%%']'*}
            printf '%s\n' "$line"
            [[ $section == "$3" ]] || continue
            found=1
            printf 'enabled=0\n%s' "${4:+gpgcheck=$4$'\n'}"
        elif [[ $section == "$3" && $line =~ ^[[:space:]]*(enabled|gpgcheck)[[:space:]]*= ]]; then
            [[ ${BASH_REMATCH[1]} == enabled || -n ${4-} ]] || printf '%s\n' "$line"
        else
            printf '%s\n' "$line"
        fi
    done <"$ov_fetched/archive" >"$ov_fetched/repo"
    if [[ -z $found ]]; then
        echo "ov: $2 has no repository named $3" >&2
        return 1
    fi
    digest=$(sha256sum -- "$ov_fetched/repo") || return
    ov_copy 0644 "$1" "${digest%% *}" "$ov_fetched/repo" '' remove-repo-file
}

# ov_copr OWNER/PROJECT
ov_copr() {
    local name=${1//\//-}
    name=${name#@} # groups are written group_NAME
    ! compgen -G "/etc/yum.repos.d/_copr*$name*.repo" >/dev/null || return 0
    ov_undo_copr "$1" || return
    dnf -y copr enable "$1" || return
    ov_changed=1
}
ov_undo_copr() {
    local ov_text
    ov_json "$1"
    ov_undo "{\"kind\":\"copr-disable\",\"format\":\"rpm\",\"targets\":[$ov_text]}"
}

# ov_pacman_repo NAME SERVER SIGLEVEL [KEY]: a stanza of its own file, included from pacman.conf.
ov_pacman_repo() {
    if [[ -n ${4-} ]]; then
        pacman-key --recv-keys "$4" && pacman-key --lsign-key "$4" || return
    fi
    ov_block /etc/pacman.conf "repo-$1" end "[$1]"$'\n'"Server = $2"$'\n'"SigLevel = $3"
}
