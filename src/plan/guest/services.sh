# systemd units of the system and of the deploy user. The state before is recorded before it is changed.

# ov_systemctl system|user WORD...
ov_systemctl() {
    local scope=$1
    shift
    if [[ $scope == user ]]; then
        XDG_RUNTIME_DIR=/run/user/$EUID systemctl --user "$@"
    else
        systemctl "$@"
    fi
}

# ov_unit system|user PATH DIGEST TEXT [KIND]: a unit file or drop-in, known to systemd at once.
ov_unit() {
    ov_changed=
    ov_write 0644 "$2" "$3" "$4" '' "${5:-service-remove}" || return
    [[ -n $ov_changed ]] || return 0
    ov_systemctl "$1" daemon-reload || [[ $1 == user ]]
}

# ov_restart system|user UNIT: picks up a new unit text if the unit runs.
ov_restart() {
    [[ -z ${ov_changed-} ]] || ov_systemctl "$1" try-restart -- "$2"
}

# ov_enable system|user UNIT: enabling must work; a unit that cannot start now starts at the next boot.
ov_enable() {
    local scope=$1 unit=$2 line enabled=no active=no
    [[ $scope != user ]] || ov_linger || return
    while read -r line; do
        case $line in
            UnitFileState=enabled | UnitFileState=enabled-runtime) enabled=yes ;;
            UnitFileState=generated) ! ov_systemctl "$scope" is-enabled --quiet -- "$unit" || enabled=yes ;;
            ActiveState=active | ActiveState=activating | ActiveState=reloading) active=yes ;;
        esac
    done < <(ov_systemctl "$scope" show -p UnitFileState -p ActiveState -- "$unit")
    if [[ $enabled$active == yesyes ]]; then
        ov_restart "$scope" "$unit"
        return
    fi
    ov_op service-disable "$unit" || return
    [[ $enabled$active == nono ]] ||
        ov_op restore-enabled "$unit" active "$active" enabled "$enabled" || return
    ov_systemctl "$scope" enable -- "$unit" || return
    if [[ $active == yes ]]; then
        ov_restart "$scope" "$unit"
    else
        ov_systemctl "$scope" start -- "$unit" || echo "ov: deferred start (will start on boot): $unit" >&2
    fi
    ov_changed=1
}

# The user's manager must outlive the login and must be up.
ov_linger() {
    local user=${USER:-$(id -un)} tries
    if [[ ! -e /var/lib/systemd/linger/$user ]]; then
        ov_op linger-disable "$user" || return
        loginctl enable-linger -- "$user" 2>/dev/null || sudo -n loginctl enable-linger -- "$user" ||
            echo "ov: cannot enable lingering for $user: its services end with the last login" >&2
    fi
    for ((tries = 0; tries < 50; tries++)); do
        [[ ! -S /run/user/$EUID/systemd/private ]] || return 0
        [[ -d /run/systemd/system ]] || return 0
        sleep 0.2
    done
}

# ov_disable system|user UNIT: part of an undo; a unit that is gone is no error.
ov_disable() {
    ov_systemctl "$1" disable --now -- "$2" || true
}

# ov_restore_unit system|user UNIT ENABLED ACTIVE: the state before the deploy.
ov_restore_unit() {
    [[ $3 != yes ]] || ov_systemctl "$1" enable -- "$2" || return
    [[ $4 != yes ]] || ov_systemctl "$1" start -- "$2"
}
