# Names of files: renaming, directories, symbolic links. A program for each costs more than what it does, with its fork and its
# start; where the machine has perl, one coprocess of a shell does them all. What that cannot do is left to the program, as is
# everything on a machine without it: the user gets the words that he knows.

ov_rename() {
    ov_name rename "$1" "$2" || mv -fT -- "$1" "$2"
}

# ov_symlink TARGET PATH
ov_symlink() {
    ov_name symlink "$1" "$2" || ln -sfT -- "$1" "$2"
}

# ov_make_dir MODE PATH: it must not be there.
ov_make_dir() {
    ov_name mkdir "$1" "$2" || mkdir -m "$1" -- "$2"
}

# ov_make_dirs PATH...: those that are missing, for everybody to read; parents come first.
ov_make_dirs() {
    local dir
    for dir; do
        [[ -d $dir ]] || ov_name mkdir 0755 "$dir" || {
            mkdir -p -- "$@"
            return
        }
    done
}

# ov_name rename|symlink|mkdir FROM|TARGET|MODE PATH: fails when it is not done.
ov_name() {
    local answer
    # The coprocess does not stand where the shell does.
    [[ $3 == /* && ($1 != rename || $2 == /*) ]] || return
    [[ ${ov_namer_of-} == "$BASHPID" ]] || ov_start_namer || return
    # bash forgets the descriptors once it has heard of the coprocess' end.
    [[ -n ${ov_namer[1]-} ]] && {
        printf '%s\0' "$@" >&"${ov_namer[1]}" && IFS= read -r -u "${ov_namer[0]}" answer && [[ $answer == done ]]
    } 2>/dev/null
}

# Starts the coprocess of this shell (subshells cannot use the one above them). A single name is cheaper without.
ov_start_namer() {
    [[ -x /usr/bin/perl ]] || return
    if [[ ${ov_named_once-} != "$BASHPID" ]]; then
        ov_named_once=$BASHPID
        return 1
    fi
    ov_namer_of=$BASHPID
    {
        coproc ov_namer {
            # Not a part of the step that it was started in, and no reason for another deploy to wait.
            unset OV_STEP "${!PERL@}"
            if [[ -n ${ov_lock_fd-} ]]; then exec {ov_lock_fd}>&-; fi
            cd /
            exec /usr/bin/perl -e '
                $| = 1;
                $/ = "\0";
                umask 0;
                sub word { my $word = <STDIN>; exit unless defined $word; chomp $word; $word }
                while (1) {
                    my ($verb, $first, $path) = (word, word, word);
                    my $done = $verb eq "rename" ? rename($first, $path)
                        : $verb eq "symlink" ? symlink($first, $path)
                        : mkdir($path, oct $first) && (oct($first) < 01000 || chmod(oct $first, $path));
                    print $done ? "done\n" : "$!\n";
                }'
        }
    } 2>/dev/null
}
