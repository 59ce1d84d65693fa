# Managed blocks in files that people own: the bytes outside the fences are never touched.

# ov_fences MARKER: leaves the fence lines in ov_begin and ov_end.
ov_fences() {
    ov_begin="# overthink:begin ${1:+$1 }(managed by ov; do not edit inside this block)"
    ov_end="# overthink:end${1:+ $1}"
}

# Reads FILE into ov_lines and finds the pair: ov_first and ov_last are line numbers, -1 without a block.
ov_find_block() {
    local rest i line
    ov_lines=() ov_first=-1 ov_last=-1
    [[ -e $1 ]] || return 0
    [[ -f $1 && -r $1 ]] || ov_fail "$1: not a readable file" || return
    ! IFS= read -r -d '' rest <"$1" || ov_fail "$1: holds a NUL byte, not edited" || return
    mapfile ov_lines <"$1"
    [[ $rest == *"$ov_begin"* || $rest == *"$ov_end"* ]] || return 0
    for i in "${!ov_lines[@]}"; do
        line=${ov_lines[i]%$'\n'}
        line=${line%$'\r'}
        if [[ $line == "$ov_begin" ]]; then
            ((ov_first == -1)) || ov_fail "$1: two blocks begin with '$ov_begin', not edited" || return
            ov_first=$i
        elif [[ $line == "$ov_end" ]]; then
            ((ov_first >= 0 && ov_last == -1)) || ov_fail "$1: '$ov_end' without its begin line, not edited" || return
            ov_last=$i
        fi
    done
    ((ov_first == -1 || ov_last >= 0)) || ov_fail "$1: '$ov_begin' without its end line, not edited"
}

# ov_replace FILE TEXT: new bytes for a file that keeps its owner and mode.
ov_replace() {
    local temp=$1.ov-new
    if [[ -e $1 ]]; then
        cp -a -- "$1" "$temp" || return
    elif [[ -e $temp || -L $temp ]]; then
        rm -f -- "$temp" || return
    fi
    umask 022
    printf %s "$2" >"$temp" && ov_rename "$temp" "$1" || {
        rm -f -- "$temp"
        return 1
    }
}

# ov_block FILE MARKER top|end BODY [SHELL]: BODY between fences; a new block goes to the top or the end of the file.
ov_block() {
    local LC_ALL=C IFS= file=$1 block text created=no final=no ov_begin ov_end ov_lines ov_first ov_last
    [[ ! -L $file ]] || file=$(readlink -f -- "$file") || return
    ov_fences "$2"
    ov_find_block "$file" || return
    block=$ov_begin$'\n'$4$'\n'$ov_end$'\n'
    text="${ov_lines[*]}"
    if ((ov_first >= 0)); then
        [[ ${ov_lines[ov_last]} == *$'\n' ]] || block=${block%$'\n'}
        local head="${ov_lines[*]:0:ov_first}" tail="${ov_lines[*]:ov_last+1}"
        [[ $text != "$head$block$tail" ]] || return 0
        text=$head$block$tail
    elif [[ -z $text ]]; then
        text=$block
    elif [[ $3 == top ]]; then
        text=$block$'\n'$text
    else
        [[ $text == *$'\n' ]] || { final=yes text+=$'\n'; }
        text+=$'\n'$block
    fi
    [[ -e $file ]] || created=yes
    ov_parents "$file" || return
    ov_op remove-managed-block "$file" created "$created" marker "$2" no_final_newline "$final" position "$3" \
        ${5:+shell "$5"} || return
    ov_replace "$file" "$text" || return
    ov_changed=1
}

# ov_unblock FILE MARKER top|end CREATED NO_FINAL_NEWLINE: the exact bytes from before the block.
ov_unblock() {
    local LC_ALL=C IFS= file=$1 head tail ov_begin ov_end ov_lines ov_first ov_last
    [[ ! -L $file ]] || file=$(readlink -f -- "$file") || return
    [[ ! -e $file.ov-new ]] || rm -f -- "$file.ov-new"
    ov_fences "$2"
    ov_find_block "$file" || return
    ((ov_first >= 0)) || return 0
    head="${ov_lines[*]:0:ov_first}" tail="${ov_lines[*]:ov_last+1}"
    if [[ $3 == top ]]; then
        tail=${tail#$'\n'}
    elif [[ -z $head && $tail == $'\n# overthink:begin'* ]]; then
        tail=${tail#$'\n'} # it kept this block and the next apart
    elif [[ $head == *$'\n\n' ]]; then
        head=${head%$'\n'}
        [[ $5 != yes || -n $tail ]] || head=${head%$'\n'}
    fi
    if [[ $4 == yes && -z $head$tail ]]; then
        rm -f -- "$file"
    else
        ov_replace "$file" "$head$tail"
    fi
}
