# The runner: two bash processes on the guest that run framed scripts one after another (decisions 46).
#
# The front reads frames and never waits for a script, so that it can hear `kill` while one runs. The worker runs them. The
# front hands scripts over through a pipe, and urgent news (kill, check, eof) through a second pipe announced by SIGUSR1,
# which interrupts the worker's wait. Set before this text: ov__nonce (proves that a record is ours), ov__tag (marks the
# processes of a step so that those which leave their process group are found too).
#
# Frames:  run|keep|hold <id> <nonce> <limit_s> <length>\n<length bytes>      kill <id>\n      the first line filled to 72
# bytes, so that one read takes it: bash reads a line from a pipe byte by byte. `run` gives the script a process of its own,
# `keep` evaluates it in the worker. The bytes of `hold` are the name of a variable of the worker, a newline and its value.
# ov__cut tells what the worker does at its end that a script was ended, or was at work when the input ended.
# Records, on both streams:  \036ov-hello <nonce>\n      \036ov-end <nonce> <id> <status>\n
LC_ALL=C
ov__worker() {
    local head verb id limit length body status state now
    declare -A ov__dropped=()
    ov__pid= ov__id= ov__ended= ov__watcher=
    trap ov__news USR1
    trap : PIPE
    set -m
    printf '\036ov-hello %s\n' "$ov__nonce"
    printf '\036ov-hello %s\n' "$ov__nonce" >&2
    while IFS= read -r -N 40 head; do
        verb=${head%% *} head=${head#* }
        id=${head%% *} head=${head#* }
        limit=${head%% *} head=${head#* }
        length=${head%% *} body=
        ov_record= ov__state=
        if [[ $verb == hold ]]; then
            IFS= read -r state
            length=$((length - ${#state} - 1))
            printf -v "$state" %s ''
            ((length == 0)) || IFS= read -r -N "$length" "$state"
        else
            IFS= read -r -N "$length" body
        fi
        if [[ $body == '#ov-record '* ]]; then
            ov_record=${body%%$'\n'*}
            ov_record=${ov_record#'#ov-record '}
        fi
        if [[ -n ${ov__dropped[$id]-} || -n $ov__ended ]]; then
            status=125 ov_record=
        elif [[ $verb == hold ]]; then
            status=0
        elif [[ $verb == keep ]]; then
            ov__id=$id
            export OV_STEP=$ov__tag.$id
            eval "$body" </dev/null
            status=$? ov__id=
        else
            printf -v ov__due '%(%s)T' -1
            ov__due=$((ov__due + limit)) ov__id=$id
            (
                set +m
                trap - USR1 PIPE
                exec {ov__tell}>&-
                if [[ -n ${ov_lock_fd-} ]]; then exec {ov_lock_fd}>&-; fi
                export OV_STEP=$ov__tag.$id
                unset ov__nonce
                eval "$body"
            ) </dev/null &
            ov__pid=$!
            # News interrupts the wait with a status of its own: then ask again.
            while :; do
                ov__interrupted=
                wait "$ov__pid"
                status=$?
                if [[ -z $ov__interrupted ]]; then break; fi
            done
            ov__pid= ov__id=
            # One that waits for the deadline of a step that is over would end whoever gets its number next.
            if [[ -n $ov__watcher ]]; then kill -KILL -- "-$ov__watcher" 2>/dev/null; fi
            ov__watcher=
        fi
        if [[ -n $ov_record ]]; then
            state=${ov__state:-ok}
            if [[ $state == ok && $status != 0 ]]; then state=failed; fi
            ov_journal_result "$status" "$state"
        fi
        printf '\036ov-end %s %s %s\n' "$ov__nonce" "$id" "$status"
        printf '\036ov-end %s %s %s\n' "$ov__nonce" "$id" "$status" >&2
    done
}
ov__news() {
    # It interrupts functions of kept scripts and sees their variables.
    local what id now IFS=$' \t\n'
    ov__interrupted=1
    while read -r -t 0 -u "$ov__tell" && read -r -u "$ov__tell" what id; do
        printf -v now '%(%s)T' -1
        case $what in
            kill)
                if [[ $id == "$ov__id" ]]; then
                    ov__state=cancelled ov__cut=1
                    if [[ -n $ov__pid ]]; then ov__end 0; fi
                else
                    ov__dropped[$id]=1
                fi
                ;;
            check)
                if [[ -n $ov__pid ]] && ((now >= ov__due)); then
                    ov__state=failed
                    ov__end 0
                fi
                ;;
            eof)
                ov__ended=1
                if [[ -n $ov__id ]]; then ov__cut=1; fi
                if [[ -n $ov__pid ]]; then ov__end $((ov__due - now)); fi
                ;;
        esac
    done
}
# ov__sweep SIGNAL ID: to whatever carries the mark of a step.
ov__sweep() {
    local other
    for other in $(grep -lsz "^OV_STEP=$ov__tag.$2\$" /proc/[0-9]*/environ); do
        other=${other#/proc/}
        kill "-$1" "${other%/environ}"
    done
}
# Ends the current step after $1 seconds: its process group, and whatever carries its mark; TERM, a second later KILL.
ov__end() {
    local pid=$ov__pid id=$ov__id signal
    if (($1 <= 0)); then kill -TERM -- "-$pid" 2>/dev/null; fi
    (
        trap '' HUP
        exec >/dev/null 2>&1 </dev/null {ov__tell}>&-
        if [[ -n ${ov_lock_fd-} ]]; then exec {ov_lock_fd}>&-; fi
        if (($1 > 0)); then
            sleep "$1"
            kill -TERM -- "-$pid"
        fi
        for signal in TERM KILL; do
            ov__sweep "$signal" "$id"
            if [[ $signal == TERM ]]; then sleep 1; fi
            kill "-$signal" -- "-$pid"
        done
    ) &
    if (($1 > 0)); then ov__watcher=$!; fi
    disown "$!"
}
# The worker hears nothing while it waits for a program that a kept script called.
ov__end_kept() {
    local signal
    trap '' HUP
    exec >/dev/null 2>&1 </dev/null {ov__tell}>&- {ov__frames}>&-
    for signal in TERM KILL KILL; do
        ov__sweep "$signal" "$1"
        sleep 1
    done
}
ov__front() {
    local head= more verb id nonce limit length body status longest=60
    declare -A kept=()
    while :; do
        IFS= read -r -t "$longest" -N $((72 - ${#head})) more
        status=$?
        head+=$more
        if ((status > 128)); then
            printf 'check\n' >&"$ov__tell"
            kill -USR1 "$ov__worker_pid" || break
            continue
        fi
        if ((status != 0)); then break; fi
        verb=${head%% *} head=${head#* }
        id=${head%% *} head=${head#* }
        case $verb in
            run | keep | hold)
                nonce=${head%% *} head=${head#* }
                limit=${head%% *} head=${head#* }
                length=${head%% *} body=
                if [[ $nonce != "$ov__nonce" ]]; then break; fi
                if ((limit > longest)); then longest=$limit; fi
                if [[ $verb == keep ]]; then kept[$id]=1; fi
                IFS= read -r -N "$length" body
                printf '%-39s\n%s' "$verb $id $limit $length " "$body" >&"$ov__frames" || break
                ;;
            kill)
                printf 'kill %s\n' "$id" >&"$ov__tell"
                kill -USR1 "$ov__worker_pid"
                if [[ -n ${kept[$id]-} ]]; then ov__end_kept "$id" & fi
                ;;
        esac
        head=
    done
    printf 'eof\n' >&"$ov__tell"
    kill -USR1 "$ov__worker_pid" 2>/dev/null
}
# A pipe without a name: opened for reading and writing, so it never reports an end.
exec {ov__tell}<> <(:)
exec {ov__frames}> >(ov__worker)
ov__worker_pid=$!
ov__front
exit 0
