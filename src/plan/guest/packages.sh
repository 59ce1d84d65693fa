# Packages: what a step newly installed is known exactly, even after a crash between the act and its record.

# ov_package_list FORMAT: every installed package, sorted.
ov_package_list() {
    local LC_ALL=C
    export LC_ALL
    case $1 in
        deb) dpkg-query -W -f='${db:Status-Abbrev}|${binary:Package}\n' | sed -n 's/^.[^nc].*|//p' | sort ;;
        rpm) rpm -qa --qf '%{NAME}.%{ARCH}\n' | grep -v '^gpg-pubkey' | sort -u ;;
        pac) pacman -Qq | sort ;;
        *) ov_fail "unknown package format '$1'" ;;
    esac
}

# ov_all_installed FORMAT PACKAGE...
ov_all_installed() {
    local format=$1 state
    shift
    case $format in
        deb)
            state=$(dpkg-query -W -f='${db:Status-Abbrev}\n' -- "$@" 2>/dev/null) || return
            [[ ! $'\n'$state =~ $'\n'[^$'\n'][^i] ]]
            ;;
        rpm) rpm -q --quiet -- "$@" 2>/dev/null ;;
        pac) pacman -Qq -- "$@" >/dev/null 2>&1 ;;
        *) return 1 ;;
    esac
}

# Puts right what an interrupted package manager left behind. Failing is no error here: the install says what is wrong.
ov_repair_packages() {
    local files
    case $1 in
        deb)
            files=(/var/lib/dpkg/updates/[0-9]*)
            [[ ! -e ${files[0]} && -z $(dpkg --audit 2>/dev/null) ]] || {
                echo 'ov: finishing an interrupted dpkg run' >&2
                dpkg --configure -a --force-confdef --force-confold || apt-get -y -f install || true
            }
            ;;
        pac)
            [[ ! -e /var/lib/pacman/db.lck ]] || pgrep -x pacman >/dev/null || rm -f /var/lib/pacman/db.lck
            ;;
    esac
}

# ov_apt WORD...: waits at most ten minutes for other package managers.
ov_apt() {
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a APT_LISTCHANGES_FRONTEND=none
    apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Package lists, once in a run. Their lock has no time-out of its own.
ov_apt_update() {
    local seen=${ov_run:-/tmp}/apt-updated.$EUID errors tries=0
    [[ -z ${ov_run-} || ! -e $seen ]] || return 0
    until errors=$(ov_apt update -q 2>&1 >/dev/null); do
        [[ $errors == *'Could not get lock'* ]] && ((tries++ < 120)) || ov_fail "apt-get update: $errors" || return
        sleep 5
    done
    [[ -z $errors ]] || printf '%s\n' "$errors" >&2
    [[ -z ${ov_run-} ]] || : >"$seen"
}

# ov_packages FORMAT [OPTION...] -- PACKAGE...
ov_packages() {
    local format=$1 options=() status=0 before n=1
    shift
    while [[ $1 != -- ]]; do
        options+=("$1")
        shift
    done
    shift
    if ((${#options[@]} == 0)) && ov_all_installed "$format" "$@"; then return; fi
    ov_repair_packages "$format"
    while before=${ov_backup-}/packages.$n && [[ -e $before ]]; do n=$((n + 1)); done
    if [[ -n ${ov_record-} ]]; then
        ov_package_list "$format" >"$before" && ov_package_op "$format" "$before" || return
        # Package managers sync what they do: after a power cut their work is there, and this must be too.
        ov_sync "$before" "$ov_journal" || return
    fi
    case $format in
        deb) ov_apt_update && ov_apt install -y "${options[@]}" "$@" || status=$? ;;
        rpm) dnf install -y "${options[@]}" "$@" || status=$? ;;
        pac) pacman -Sy --noconfirm --needed "${options[@]}" "$@" || status=$? ;;
        *) ov_fail "unknown package format '$format'" || return ;;
    esac
    ov_changed=1
    [[ -z ${ov_record-} ]] || ov_added_packages "$format" "$before" || return
    return "$status"
}

# Records what is installed now and was not before.
ov_added_packages() {
    local now added
    now=$(ov_package_list "$1") && [[ -n $now ]] || return
    mapfile -t added < <(LC_ALL=C comm -13 "$2" - <<<"$now")
    ov_package_op "$1" "$2" complete "${added[@]}" && rm -f -- "$2"
}

# ov_package_op FORMAT BEFORE [complete [PACKAGE...]]: without "complete" the names are still to be found out from BEFORE.
ov_package_op() {
    local ov_text format=$1 extra targets= name
    ov_json "$2"
    extra="\"before\":$ov_text${3:+,\"complete\":\"yes\"}"
    shift "$(($# > 3 ? 3 : $#))"
    for name; do
        ov_json "$name"
        targets+="${targets:+,}$ov_text"
    done
    ov_undo "{\"kind\":\"package-remove\",\"format\":\"$format\",\"targets\":[$targets],\"extra\":{$extra}}"
}

# ov_protected NAME: what a machine cannot be managed without is never removed, whatever a record says.
ov_protected() {
    case ${1%%:*} in
        apt | bash | coreutils | dnf | dpkg | glibc | libc6 | linux | openssh | openssh-server | pacman | rpm | sudo | systemd | systemd-sysv) ;;
        *) return 1 ;;
    esac
}

# ov_remove_packages FORMAT [PACKAGE...]
ov_remove_packages() {
    local format=$1 all name there=()
    shift
    ov_repair_packages "$format"
    all=$'\n'$(ov_package_list "$format")$'\n' || return
    for name; do
        [[ $all == *$'\n'"$name"$'\n'* || ($format == rpm && $all == *$'\n'"$name".*) ]] || continue
        if ov_protected "$name"; then
            printf 'ov: %s stays installed: it is needed to manage the machine\n' "$name" >&2
        else
            there+=("$name")
        fi
    done
    ((${#there[@]})) || return 0
    case $format in
        deb) ov_apt purge -y "${there[@]}" ;;
        rpm) dnf remove -y "${there[@]}" ;;
        pac) pacman -Rs --noconfirm "${there[@]}" ;;
    esac
}

# ov_remove_added_packages FORMAT BEFORE: the same for a step that never came to its record.
ov_remove_added_packages() {
    local added
    [[ -e $2 ]] || return 0
    mapfile -t added < <(ov_package_list "$1" | LC_ALL=C comm -13 "$2" -)
    ((${#added[@]} == 0)) || ov_remove_packages "$1" "${added[@]}" || return
    rm -f -- "$2"
}

# ov_print_added FORMAT BEFORE: the names, for an operator who repairs the record of a step that never came to its end.
ov_print_added() {
    [[ ! -e $2 ]] || ov_package_list "$1" | LC_ALL=C comm -13 "$2" -
}
