
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'shadow' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'shadow'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'shadow' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('ingest', 'ingest', [CompletionResultType]::ParameterValue, 'Reads trace files into the store')
            [CompletionResult]::new('fingerprint', 'fingerprint', [CompletionResultType]::ParameterValue, 'Fits and indexes the fingerprints of the stored workloads')
            [CompletionResult]::new('map', 'map', [CompletionResultType]::ParameterValue, 'Draws a map of the stored workloads: alike is near')
            [CompletionResult]::new('predict', 'predict', [CompletionResultType]::ParameterValue, 'Predicts what a workload needs from its first minutes')
            [CompletionResult]::new('neighbours', 'neighbours', [CompletionResultType]::ParameterValue, 'Shows the stored workloads that resemble a sample most')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Replays the trace and scores shadow beside its rivals')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Shows what the store holds')
            [CompletionResult]::new('instances', 'instances', [CompletionResultType]::ParameterValue, 'Lists machines to rent, or ranks them for a need')
            [CompletionResult]::new('synth', 'synth', [CompletionResultType]::ParameterValue, 'Writes a synthetic trace in one of the real formats')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Shows ingest, fingerprint, predict and replay on bundled sample traces')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Prints the manual page of shadow or of one of its commands')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shadow;ingest' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the files')
            [CompletionResult]::new('--workloads', '--workloads', [CompletionResultType]::ParameterName, 'Table of what is known of each workload, to go with series in the `table` format')
            [CompletionResult]::new('--map', '--map', [CompletionResultType]::ParameterName, 'Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated')
            [CompletionResult]::new('--machine-cores', '--machine-cores', [CompletionResultType]::ParameterName, 'Cores of the largest machine, where a trace gives CPU as a share of it')
            [CompletionResult]::new('--machine-memory', '--machine-memory', [CompletionResultType]::ParameterName, 'Memory of the largest machine, where a trace gives memory as a share of it, as in 256GiB')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Most memory to use, whatever the size of the input; beyond it, sorted runs wait on disk')
            [CompletionResult]::new('--commit-every', '--commit-every', [CompletionResultType]::ParameterName, 'Seconds between two moments at which what was read is made durable; for tests')
            [CompletionResult]::new('--max-rejects', '--max-rejects', [CompletionResultType]::ParameterName, 'Refuse a file when more of its rows than this are rejected: a number, or a percentage of the rows read')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;fingerprint' {
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Learning windows, with commas: how much of a newcomer will have been seen')
            [CompletionResult]::new('--components', '--components', [CompletionResultType]::ParameterName, 'Principal components of a fingerprint')
            [CompletionResult]::new('--weights', '--weights', [CompletionResultType]::ParameterName, 'Weights of resources: cpu, memory, network, disk and facts (what is known at submission); 1 each by default')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('--add', '--add', [CompletionResultType]::ParameterName, 'Add what is new in the store to the index without fitting it anew: fingerprints, trees and margins stay those of the fit. Says when the new workloads differ so much that a new fit is better')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;map' {
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Learning window of the index to draw [default: the longest]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'File to write, by its ending: `.html`, `.svg` or `.parquet`, or `-` for SVG on standard output; can be repeated')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'File to write, by its ending: `.html`, `.svg` or `.parquet`, or `-` for SVG on standard output; can be repeated')
            [CompletionResult]::new('--color-by', '--color-by', [CompletionResultType]::ParameterName, 'What colours the points: application, user, class, priority, ending, format, memory, cpu, memory-request, cpu-request, lifetime, or a label of the trace [default: the first that is known]')
            [CompletionResult]::new('--place', '--place', [CompletionResultType]::ParameterName, 'A sample whose workloads are placed among their nearest, approximately, and marked so')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the sample')
            [CompletionResult]::new('--workloads', '--workloads', [CompletionResultType]::ParameterName, 'Table of what was known of the sample''s workloads at submission')
            [CompletionResult]::new('--map', '--map', [CompletionResultType]::ParameterName, 'Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated')
            [CompletionResult]::new('--perplexity', '--perplexity', [CompletionResultType]::ParameterName, 'About how many neighbours a workload keeps near: fewer show small groups, more the large picture')
            [CompletionResult]::new('--points', '--points', [CompletionResultType]::ParameterName, 'Workloads on the map at most; of more, a sample is drawn')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;predict' {
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Number of neighbours to combine; by default 15, or 60 where on the store these would have wasted less (by learned similarity alone)')
            [CompletionResult]::new('--neighbours', '--neighbours', [CompletionResultType]::ParameterName, 'Number of neighbours to combine; by default 15, or 60 where on the store these would have wasted less (by learned similarity alone)')
            [CompletionResult]::new('--metric', '--metric', [CompletionResultType]::ParameterName, 'How distance is measured')
            [CompletionResult]::new('--weights', '--weights', [CompletionResultType]::ParameterName, 'Weights of resources: cpu, memory, network, disk and facts (what is known at submission); 1 each by default')
            [CompletionResult]::new('--similarity', '--similarity', [CompletionResultType]::ParameterName, 'What decides how much a neighbour counts [default: learned; distance with --metric cosine or --weights]')
            [CompletionResult]::new('--coverage', '--coverage', [CompletionResultType]::ParameterName, 'Share of workloads whose need shall fit into the allocation, between 0 and 1')
            [CompletionResult]::new('--estimator', '--estimator', [CompletionResultType]::ParameterName, 'How the needs of the neighbours are combined')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Learning window of the index to ask [default: the longest one that the sample fills]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer [default: table on a terminal, json when piped, jsonl for a batch]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer [default: table on a terminal, json when piped, jsonl for a batch]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the sample')
            [CompletionResult]::new('--workloads', '--workloads', [CompletionResultType]::ParameterName, 'Table of what was known at submission; ends and lifetimes in it are ignored')
            [CompletionResult]::new('--map', '--map', [CompletionResultType]::ParameterName, 'Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated')
            [CompletionResult]::new('--base', '--base', [CompletionResultType]::ParameterName, 'Manifest or stack file to fill in (`-`: standard input); what comes out is the whole of it, with other resources. A folder is a batch of manifests: without --out the answer is a table of its containers')
            [CompletionResult]::new('--assign', '--assign', [CompletionResultType]::ParameterName, 'Table (CSV) of which container is which workload: `workload`, `name`, `container`, and where needed `kind`, `namespace` [default: the annotation `shadow.dev/workload`, else the names]')
            [CompletionResult]::new('--container', '--container', [CompletionResultType]::ParameterName, 'Container to size, or `WORKLOAD=CONTAINER` for one of several workloads in a manifest, which can be repeated [default: the only one of the manifest, else made from the workload''s name]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the object or service [default: made from the workload''s name]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Namespace of the object')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Kind of the object [default: that of the manifest given with --base, else deployment]')
            [CompletionResult]::new('--helm-path', '--helm-path', [CompletionResultType]::ParameterName, 'Where the values of a Helm chart have `resources`, as in `backend.app`')
            [CompletionResult]::new('--day', '--day', [CompletionResultType]::ParameterName, 'Day (UTC) on which the recommender of an autoscaler starts from the checkpoint, as in `2026-05-04`')
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Folder for forms that are several files; for a folder of manifests one that is new or that shadow wrote')
            [CompletionResult]::new('--memory-limit-factor', '--memory-limit-factor', [CompletionResultType]::ParameterName, 'Memory limit as a multiple of the memory request; 1: what a pod uses above its request is its neighbours''')
            [CompletionResult]::new('--granularity', '--granularity', [CompletionResultType]::ParameterName, 'In what the answer is given: amounts of CPU and memory, whole machines of a catalogue, or amounts with network')
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Replicas to place')
            [CompletionResult]::new('--catalog', '--catalog', [CompletionResultType]::ParameterName, 'Catalogue to use instead of the built-in one: CSV as `shadow instances -o csv` prints it; provider, name, vCPU and memory are needed, family, category, architecture, network, price and its source are used where they are there')
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Only from these providers, with commas [default: all]')
            [CompletionResult]::new('--family', '--family', [CompletionResultType]::ParameterName, 'Only these families, with commas, as in `m7i,c7i`')
            [CompletionResult]::new('--category', '--category', [CompletionResultType]::ParameterName, 'Only families made for this, with commas; burstable ones only if named')
            [CompletionResult]::new('--arch', '--arch', [CompletionResultType]::ParameterName, 'Instruction set; an image for one does not run on the other, so `any` is for workloads built for both')
            [CompletionResult]::new('--headroom', '--headroom', [CompletionResultType]::ParameterName, 'Share of what pods can use that stays free: for the operating system and for agents on every node')
            [CompletionResult]::new('--reserve', '--reserve', [CompletionResultType]::ParameterName, 'What else runs on a machine: the kubelet and system of the provider''s Kubernetes service, or nothing [default: kubernetes; nothing for `-o terraform-aws`, `terraform-gcp` and `terraform-azure`]')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'How many choices to show, one per family')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Show the neighbours with what they needed, where they differ, and what the answer would be without each')
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'Show what --base would become, as a unified diff with `a/` and `b/` before its paths')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'End with exit code 4 when a request in --base is outside the interval of its prediction, or missing')
            [CompletionResult]::new('--cpu-limit', '--cpu-limit', [CompletionResultType]::ParameterName, 'Set a CPU limit too; it throttles even on an idle node, so none is set by default')
            [CompletionResult]::new('--allow-uncertain', '--allow-uncertain', [CompletionResultType]::ParameterName, 'Write a manifest from an uncertain answer too: one without an interval, or with a confidence below 0.1')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;neighbours' {
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Number of neighbours')
            [CompletionResult]::new('--neighbours', '--neighbours', [CompletionResultType]::ParameterName, 'Number of neighbours')
            [CompletionResult]::new('--metric', '--metric', [CompletionResultType]::ParameterName, 'How distance is measured')
            [CompletionResult]::new('--weights', '--weights', [CompletionResultType]::ParameterName, 'Weights of resources: cpu, memory, network, disk and facts; 1 each by default')
            [CompletionResult]::new('--application', '--application', [CompletionResultType]::ParameterName, 'Only workloads of this application; can be repeated')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Only workloads of this owner; can be repeated')
            [CompletionResult]::new('--class', '--class', [CompletionResultType]::ParameterName, 'Only workloads of this scheduling class; can be repeated')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Only workloads from traces of this format; can be repeated')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only workloads that began at this time or later: a date, or a time of the trace, as in `36h`')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Only workloads that began before this time')
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Learning window of the index to ask [default: the longest one that the sample fills]')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer [default: table on a terminal, else json]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer [default: table on a terminal, else json]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Format of the sample')
            [CompletionResult]::new('--workloads', '--workloads', [CompletionResultType]::ParameterName, 'Table of what was known of the sample''s workloads at submission')
            [CompletionResult]::new('--map', '--map', [CompletionResultType]::ParameterName, 'Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;replay' {
            [CompletionResult]::new('--window', '--window', [CompletionResultType]::ParameterName, 'Learning window: how much of a newcomer is seen; `0s` asks at submission')
            [CompletionResult]::new('--windows', '--windows', [CompletionResultType]::ParameterName, 'Show as well how answers improve with what was seen: learning windows with commas, as in `10s,30s,60s,5m,30m`')
            [CompletionResult]::new('--split', '--split', [CompletionResultType]::ParameterName, 'Which workloads a prediction may rest on: one, several with commas, or `all`')
            [CompletionResult]::new('--cuts', '--cuts', [CompletionResultType]::ParameterName, 'Shares of the trace''s time at which the calibration period and the test period begin')
            [CompletionResult]::new('--lives', '--lives', [CompletionResultType]::ParameterName, 'What counts as the life of a workload')
            [CompletionResult]::new('--cpu-percentile', '--cpu-percentile', [CompletionResultType]::ParameterName, 'Which percentile of its rows'' means a workload needs of CPU')
            [CompletionResult]::new('--instances', '--instances', [CompletionResultType]::ParameterName, 'Instances without a series: how many of each task are replayed, drawn by a hash of their names')
            [CompletionResult]::new('--tasks', '--tasks', [CompletionResultType]::ParameterName, 'Instances without a series: of how many tasks they are replayed, drawn in the same way; all unless said')
            [CompletionResult]::new('--rivals', '--rivals', [CompletionResultType]::ParameterName, 'Rivals, with commas, or `all`')
            [CompletionResult]::new('--feedback', '--feedback', [CompletionResultType]::ParameterName, 'Whether OOM kills restart the workload with more memory')
            [CompletionResult]::new('--coverage', '--coverage', [CompletionResultType]::ParameterName, 'Share of workloads whose need shall fit into the allocation, between 0 and 1')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Number of neighbours to combine; by default 15, or 60 where on the store these would have wasted less')
            [CompletionResult]::new('--neighbours', '--neighbours', [CompletionResultType]::ParameterName, 'Number of neighbours to combine; by default 15, or 60 where on the store these would have wasted less')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed of folds, random neighbours and resampling')
            [CompletionResult]::new('--gate', '--gate', [CompletionResultType]::ParameterName, 'Conditions that must hold, with commas; exit code 4 if one does not')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Write the report as one self-contained HTML page as well')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;info' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('--quality', '--quality', [CompletionResultType]::ParameterName, 'Read all samples and count what is odd about them, by source')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Read every file of the store and its indexes and compare it with what was written')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;instances' {
            [CompletionResult]::new('--cpu', '--cpu', [CompletionResultType]::ParameterName, 'CPU of one replica, as in `1500m` or `2`')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Memory of one replica, as in `3GiB`')
            [CompletionResult]::new('--network', '--network', [CompletionResultType]::ParameterName, 'Network of one replica per second, as in `25MB`; checked where the catalogue knows a machine''s')
            [CompletionResult]::new('--replicas', '--replicas', [CompletionResultType]::ParameterName, 'Replicas to place')
            [CompletionResult]::new('--catalog', '--catalog', [CompletionResultType]::ParameterName, 'Catalogue to use instead of the built-in one: CSV as `shadow instances -o csv` prints it; provider, name, vCPU and memory are needed, family, category, architecture, network, price and its source are used where they are there')
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'Only from these providers, with commas [default: all]')
            [CompletionResult]::new('--family', '--family', [CompletionResultType]::ParameterName, 'Only these families, with commas, as in `m7i,c7i`')
            [CompletionResult]::new('--category', '--category', [CompletionResultType]::ParameterName, 'Only families made for this, with commas; burstable ones only if named')
            [CompletionResult]::new('--arch', '--arch', [CompletionResultType]::ParameterName, 'Instruction set; an image for one does not run on the other, so `any` is for workloads built for both')
            [CompletionResult]::new('--headroom', '--headroom', [CompletionResultType]::ParameterName, 'Share of what pods can use that stays free: for the operating system and for agents on every node')
            [CompletionResult]::new('--reserve', '--reserve', [CompletionResultType]::ParameterName, 'What else runs on a machine: the kubelet and system of the provider''s Kubernetes service, or nothing [default: kubernetes; nothing for `-o terraform-aws`, `terraform-gcp` and `terraform-azure`]')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'How many choices to show, one per family')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Form of the answer')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Form of the answer')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;synth' {
            [CompletionResult]::new('--workloads', '--workloads', [CompletionResultType]::ParameterName, 'Number of workloads')
            [CompletionResult]::new('--days', '--days', [CompletionResultType]::ParameterName, 'Length of the trace in days')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Seed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Folder to write into')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Folder to write into')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;demo' {
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'New or empty folder that keeps the demo''s files and store')
            [CompletionResult]::new('--traces', '--traces', [CompletionResultType]::ParameterName, 'Folder of the sample traces [default: the bundled ones]')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;completions' {
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;man' {
            [CompletionResult]::new('--out', '--out', [CompletionResultType]::ParameterName, 'Folder to write all pages into')
            [CompletionResult]::new('--store', '--store', [CompletionResultType]::ParameterName, 'Folder of the store')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colours: auto, always or never')
            [CompletionResult]::new('--progress', '--progress', [CompletionResultType]::ParameterName, 'When to show progress on standard error: auto, always or never')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only what went wrong: no progress, no notes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'shadow;help' {
            [CompletionResult]::new('ingest', 'ingest', [CompletionResultType]::ParameterValue, 'Reads trace files into the store')
            [CompletionResult]::new('fingerprint', 'fingerprint', [CompletionResultType]::ParameterValue, 'Fits and indexes the fingerprints of the stored workloads')
            [CompletionResult]::new('map', 'map', [CompletionResultType]::ParameterValue, 'Draws a map of the stored workloads: alike is near')
            [CompletionResult]::new('predict', 'predict', [CompletionResultType]::ParameterValue, 'Predicts what a workload needs from its first minutes')
            [CompletionResult]::new('neighbours', 'neighbours', [CompletionResultType]::ParameterValue, 'Shows the stored workloads that resemble a sample most')
            [CompletionResult]::new('replay', 'replay', [CompletionResultType]::ParameterValue, 'Replays the trace and scores shadow beside its rivals')
            [CompletionResult]::new('info', 'info', [CompletionResultType]::ParameterValue, 'Shows what the store holds')
            [CompletionResult]::new('instances', 'instances', [CompletionResultType]::ParameterValue, 'Lists machines to rent, or ranks them for a need')
            [CompletionResult]::new('synth', 'synth', [CompletionResultType]::ParameterValue, 'Writes a synthetic trace in one of the real formats')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Shows ingest, fingerprint, predict and replay on bundled sample traces')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Prints the manual page of shadow or of one of its commands')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'shadow;help;ingest' {
            break
        }
        'shadow;help;fingerprint' {
            break
        }
        'shadow;help;map' {
            break
        }
        'shadow;help;predict' {
            break
        }
        'shadow;help;neighbours' {
            break
        }
        'shadow;help;replay' {
            break
        }
        'shadow;help;info' {
            break
        }
        'shadow;help;instances' {
            break
        }
        'shadow;help;synth' {
            break
        }
        'shadow;help;demo' {
            break
        }
        'shadow;help;completions' {
            break
        }
        'shadow;help;man' {
            break
        }
        'shadow;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
