# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_shadow_global_optspecs
    string join \n store= threads= q/quiet v/verbose color= progress= h/help V/version
end

function __fish_shadow_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_shadow_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_shadow_using_subcommand
    set -l cmd (__fish_shadow_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c shadow -n "__fish_shadow_needs_command" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_needs_command" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_needs_command" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_needs_command" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_needs_command" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_needs_command" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_needs_command" -s V -l version -d 'Print version'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "completions" -d 'Prints a completion script for a shell'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "man" -d 'Prints the manual page of shadow or of one of its commands'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shadow -n "__fish_shadow_using_subcommand completions" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand completions" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand completions" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand completions" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand completions" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand completions" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand man" -l out -d 'Folder to write all pages into' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand man" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand man" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand man" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand man" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand man" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand man" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from completions man help" -f -a "completions" -d 'Prints a completion script for a shell'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from completions man help" -f -a "man" -d 'Prints the manual page of shadow or of one of its commands'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
