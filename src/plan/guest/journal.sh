# The guest's journal: what a step is about to change and how to undo it, written before the change (bash 4.2, builtins only).
#
# Variables of the runner: ov_journal (file), ov_record (JSON members of the running step; empty: nothing is recorded),
# ov_backup (directory for copies of what is replaced), ov_run (directory of this run).

ov_fail() {
    printf 'ov: %s\n' "$*" >&2
    return 1
}

# ov_json TEXT: leaves TEXT as a JSON string in ov_text.
ov_json() {
    local LC_ALL=C text=$1 code char
    text=${text//\\/\\\\}
    text=${text//\"/\\\"}
    if [[ $text == *[[:cntrl:]]* ]]; then
        text=${text//$'\n'/\\n}
        text=${text//$'\t'/\\t}
        for code in 0{1..8} 0{b..f} 1{0..9} 1{a..f}; do
            printf -v char "\\x$code"
            text=${text//"$char"/\\u00$code}
        done
    fi
    ov_text="\"$text\""
}

# ov_undo JSON: one reverse operation of the running step.
ov_undo() {
    [[ -n ${ov_record-} ]] || return 0
    printf '{%s,"state":"undo","op":%s}\n' "$ov_record" "$1" >>"$ov_journal"
}

# ov_op KIND TARGET [KEY VALUE]...: the same from its parts; root's operations have system scope, all others user scope.
ov_op() {
    [[ -n ${ov_record-} ]] || return 0
    local ov_text op extra= kind=$1
    ov_json "$2"
    op="{\"kind\":\"$kind\",\"targets\":[$ov_text]"
    [[ $EUID == 0 ]] || op+=',"scope":1'
    shift 2
    while (($# > 1)); do
        ov_json "$2"
        extra+="${extra:+,}\"$1\":$ov_text"
        shift 2
    done
    [[ -z $extra ]] || op+=",\"extra\":{$extra}"
    ov_undo "$op}"
}

# ov_journal_result STATUS STATE: called by the runner when a recorded step has ended. The first one that does not succeed
# stops those behind it in the pipeline: they begin with ov_begin.
ov_journal_result() {
    [[ -z ${ov_failed-} ]] || return 0
    [[ $2 == ok ]] || ov_failed=1
    local TZ=UTC0 at
    printf -v at '%(%Y-%m-%dT%H:%M:%SZ)T' -1
    printf '{%s,"state":"%s","status":%d,"at":"%s"}\n' "$ov_record" "$2" "$1" "$at" >>"$ov_journal"
}

# 125: an earlier step failed, this one must not begin. Steps that run in the runner itself share its variables.
ov_begin() {
    ov_changed=
    [[ -z ${ov_failed-} ]] || return 125
}

# ov_intents LINES: appends what is about to run; ov_sync makes sure that a power cut does not lose it.
ov_intents() {
    local text
    IFS= read -r -d '' text <"$ov_journal" || :
    # A power cut may have left half a line.
    [[ -z $text || $text == *$'\n' ]] || printf '\n' >>"$ov_journal" || return
    printf '%s' "$1" >>"$ov_journal"
}

ov_print_journal() {
    local text
    IFS= read -r -d '' text <"$ov_journal" || :
    printf %s "$text"
}

ov_sync() {
    sync -- "$@" 2>/dev/null || sync
}

# Environment that earlier layers gave the deploy user.
ov_env() {
    local file
    for file in "$HOME"/.config/overthink/env.d/*.env; do
        [[ ! -r $file ]] || . "$file"
    done
}

# The names that layers know the machine by.
ov_arch() {
    BUILD_ARCH=${ov_machine:-$(uname -m)}
    case $BUILD_ARCH in
        x86_64) ARCH=amd64 ;;
        aarch64) ARCH=arm64 ;;
        armv7l | armv7 | armhf) ARCH=arm ;;
        *) ARCH=$BUILD_ARCH ;;
    esac
    export BUILD_ARCH ARCH
}

# ov_as USER SCRIPT: runs SCRIPT as another account. It travels through a descriptor, never through argv.
ov_as() {
    id -u -- "$1" >/dev/null 2>&1 || ov_fail "no account '$1' on this machine" || return
    local home
    home=$(getent passwd -- "$1") && home=${home%:*} && home=${home##*:}
    HOME=${home:-/} USER=$1 LOGNAME=$1 runuser -u "$1" -- bash --noprofile --norc -c \
        'IFS= read -r -d "" ov_script <&9; exec 9<&-; cd 2>/dev/null || cd /; eval "$ov_script"' 9<<<"$2" </dev/null
}
