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
complete -c shadow -n "__fish_shadow_needs_command" -f -a "ingest" -d 'Reads trace files into the store'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "fingerprint" -d 'Fits and indexes the fingerprints of the stored workloads'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "map" -d 'Draws a map of the stored workloads: alike is near'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "predict" -d 'Predicts what a workload needs from its first minutes'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "neighbours" -d 'Shows the stored workloads that resemble a sample most'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "replay" -d 'Replays the trace and scores shadow beside its rivals'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "info" -d 'Shows what the store holds'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "instances" -d 'Lists machines to rent, or ranks them for a need'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "synth" -d 'Writes a synthetic trace in one of the real formats'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "demo" -d 'Shows ingest, fingerprint, predict and replay on bundled sample traces'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "completions" -d 'Prints a completion script for a shell'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "man" -d 'Prints the manual page of shadow or of one of its commands'
complete -c shadow -n "__fish_shadow_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l format -d 'Format of the files' -r -f -a "auto\t'Tell from names, headers and content, and say what it was taken for'
google-2011\t'Google cluster data of 2011: `task_usage`, `task_events`, `job_events`, `machine_events`'
google-2019\t'Google cluster data of 2019: `instance_usage`, `instance_events`, `collection_events` (JSON Lines or CSV)'
alibaba-2017\t'Alibaba cluster data of 2017: `container_usage`, `container_event`, `batch_task`, `batch_instance`, `server_event`'
alibaba-2018\t'Alibaba cluster data of 2018: `container_usage`, `container_meta`, `machine_meta`, `batch_task`, `batch_instance`'
alibaba-gpu-2020\t'Alibaba\'s PAI of 2020, tasks on GPUs: `pai_task_table`, `pai_sensor_table`, `pai_machine_spec` and the rest'
alibaba-microservices-2021\t'Alibaba\'s microservices of 2021: `MSResource`, `Node`, `MSRTQps`, `MSCallGraph`'
alibaba-microservices-2022\t'Alibaba\'s microservices of 2022: `MSMetrics`, `NodeMetrics`, `MSRTMCR`, `CallGraph`'
alibaba-gpu-2023\t'Requests of Alibaba\'s GPU pods of 2023: `openb_pod_list`, `openb_node_list`'
alibaba-genai-2026\t'Pods of Alibaba that serve image generation, of 2026: `pod_memory_util_anon` and the other metrics'
bitbrains\t'Virtual machines of Bitbrains (GWA-T-12): `fastStorage/2013-8/1.csv`, `rnd/2013-8/1.csv`'
azure-2017\t'Virtual machines of Azure, V1: `vmtable`, `vm_cpu_readings`'
azure-2019\t'Virtual machines of Azure, V2: `vmtable`, `vm_cpu_readings`'
prometheus\t'Answers of Prometheus: `query_range` of metrics of containers, JSON'
table\t'Your own series: one row per workload and time, columns by name'"
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l workloads -d 'Table of what is known of each workload, to go with series in the `table` format' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l map -d 'Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated' -r
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l machine-cores -d 'Cores of the largest machine, where a trace gives CPU as a share of it' -r
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l machine-memory -d 'Memory of the largest machine, where a trace gives memory as a share of it, as in 256GiB' -r
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l memory -d 'Most memory to use, whatever the size of the input; beyond it, sorted runs wait on disk' -r
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l commit-every -d 'Seconds between two moments at which what was read is made durable; for tests' -r
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l max-rejects -d 'Refuse a file when more of its rows than this are rejected: a number, or a percentage of the rows read' -r
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand ingest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -l window -d 'Learning windows, with commas: how much of a newcomer will have been seen' -r
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -l components -d 'Principal components of a fingerprint' -r
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -l weights -d 'Weights of resources: cpu, memory, network, disk and facts (what is known at submission); 1 each by default' -r
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -l add -d 'Add what is new in the store to the index without fitting it anew: fingerprints, trees and margins stay those of the fit. Says when the new workloads differ so much that a new fit is better'
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand fingerprint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand map" -l window -d 'Learning window of the index to draw [default: the longest]' -r
complete -c shadow -n "__fish_shadow_using_subcommand map" -s o -l output -d 'File to write, by its ending: `.html`, `.svg` or `.parquet`, or `-` for SVG on standard output; can be repeated' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand map" -l color-by -d 'What colours the points: application, user, class, priority, ending, format, memory, cpu, memory-request, cpu-request, lifetime, or a label of the trace [default: the first that is known]' -r
complete -c shadow -n "__fish_shadow_using_subcommand map" -l place -d 'A sample whose workloads are placed among their nearest, approximately, and marked so' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand map" -l format -d 'Format of the sample' -r -f -a "auto\t'Tell from names, headers and content, and say what it was taken for'
google-2011\t'Google cluster data of 2011: `task_usage`, `task_events`, `job_events`, `machine_events`'
google-2019\t'Google cluster data of 2019: `instance_usage`, `instance_events`, `collection_events` (JSON Lines or CSV)'
alibaba-2017\t'Alibaba cluster data of 2017: `container_usage`, `container_event`, `batch_task`, `batch_instance`, `server_event`'
alibaba-2018\t'Alibaba cluster data of 2018: `container_usage`, `container_meta`, `machine_meta`, `batch_task`, `batch_instance`'
alibaba-gpu-2020\t'Alibaba\'s PAI of 2020, tasks on GPUs: `pai_task_table`, `pai_sensor_table`, `pai_machine_spec` and the rest'
alibaba-microservices-2021\t'Alibaba\'s microservices of 2021: `MSResource`, `Node`, `MSRTQps`, `MSCallGraph`'
alibaba-microservices-2022\t'Alibaba\'s microservices of 2022: `MSMetrics`, `NodeMetrics`, `MSRTMCR`, `CallGraph`'
alibaba-gpu-2023\t'Requests of Alibaba\'s GPU pods of 2023: `openb_pod_list`, `openb_node_list`'
alibaba-genai-2026\t'Pods of Alibaba that serve image generation, of 2026: `pod_memory_util_anon` and the other metrics'
bitbrains\t'Virtual machines of Bitbrains (GWA-T-12): `fastStorage/2013-8/1.csv`, `rnd/2013-8/1.csv`'
azure-2017\t'Virtual machines of Azure, V1: `vmtable`, `vm_cpu_readings`'
azure-2019\t'Virtual machines of Azure, V2: `vmtable`, `vm_cpu_readings`'
prometheus\t'Answers of Prometheus: `query_range` of metrics of containers, JSON'
table\t'Your own series: one row per workload and time, columns by name'"
complete -c shadow -n "__fish_shadow_using_subcommand map" -l workloads -d 'Table of what was known of the sample\'s workloads at submission' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand map" -l map -d 'Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated' -r
complete -c shadow -n "__fish_shadow_using_subcommand map" -l perplexity -d 'About how many neighbours a workload keeps near: fewer show small groups, more the large picture' -r
complete -c shadow -n "__fish_shadow_using_subcommand map" -l points -d 'Workloads on the map at most; of more, a sample is drawn' -r
complete -c shadow -n "__fish_shadow_using_subcommand map" -l seed -d 'Seed' -r
complete -c shadow -n "__fish_shadow_using_subcommand map" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand map" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand map" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand map" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand map" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand map" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand map" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand predict" -s k -l neighbours -d 'Number of neighbours to combine; by default 15, or 60 where on the store these would have wasted less (by learned similarity alone)' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l metric -d 'How distance is measured' -r -f -a "euclidean\t'Straight-line distance: level and shape count'
cosine\t'Angle between fingerprints: shape counts, level does not'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l weights -d 'Weights of resources: cpu, memory, network, disk and facts (what is known at submission); 1 each by default' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l similarity -d 'What decides how much a neighbour counts [default: learned; distance with --metric cosine or --weights]' -r -f -a "learned\t'What the store taught about which workloads need alike, among the nearest 200'
distance\t'The distance of the fingerprints alone'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l coverage -d 'Share of workloads whose need shall fit into the allocation, between 0 and 1' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l estimator -d 'How the needs of the neighbours are combined' -r -f -a "quantile\t'Weighted upper quantile of relative needs, calibrated so that --coverage holds'
mean\t'Similarity-weighted mean of relative needs; about half of all workloads need more'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l window -d 'Learning window of the index to ask [default: the longest one that the sample fills]' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -s o -l output -d 'Form of the answer [default: table on a terminal, json when piped, jsonl for a batch]' -r -f -a "table\t'For people'
json\t'One JSON document (an array for a batch)'
jsonl\t'One JSON document per line'
csv\t'One row per workload'
yaml\t'The JSON document as YAML'
kubernetes\t'The manifest given with --base with its resources filled in, or a patch without one'
kubernetes-patch\t'A patch for `kubectl patch --patch-file`'
strategic-merge\t'The patch without kind and name, for `kubectl patch --type strategic`'
kustomize\t'A Kustomize component: with --out a patch per workload beside it, else one file'
helm-values\t'`resources` for the values of a Helm chart, under --helm-path'
json-patch\t'A JSON patch (RFC 6902) that tests the container\'s name before it changes anything'
resize\t'New sizes of a running pod, for `kubectl patch --subresource resize`'
limit-range\t'A `LimitRange`: defaults of a namespace'
vpa\t'A `VerticalPodAutoscaler` with the interval as its bounds, in mode `Off`'
vpa-checkpoint\t'The same with a checkpoint from the neighbours, so that its recommender starts warm; needs --day'
swarm\t'A stack file for `docker stack deploy`, or the one given with --base filled in'
compose\t'A file for `docker compose`, or the one given with --base filled in'
terraform\t'A Terraform module: the whole of it with --out, else one file'
terraform-kubernetes\t'Deployments as resources of Terraform\'s Kubernetes provider, where Terraform owns the objects'
terraform-aws\t'The cheapest machines of AWS as Terraform resources'
terraform-gcp\t'The cheapest machines of Google Cloud as Terraform resources'
terraform-azure\t'The cheapest machines of Azure as Terraform resources'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l format -d 'Format of the sample' -r -f -a "auto\t'Tell from names, headers and content, and say what it was taken for'
google-2011\t'Google cluster data of 2011: `task_usage`, `task_events`, `job_events`, `machine_events`'
google-2019\t'Google cluster data of 2019: `instance_usage`, `instance_events`, `collection_events` (JSON Lines or CSV)'
alibaba-2017\t'Alibaba cluster data of 2017: `container_usage`, `container_event`, `batch_task`, `batch_instance`, `server_event`'
alibaba-2018\t'Alibaba cluster data of 2018: `container_usage`, `container_meta`, `machine_meta`, `batch_task`, `batch_instance`'
alibaba-gpu-2020\t'Alibaba\'s PAI of 2020, tasks on GPUs: `pai_task_table`, `pai_sensor_table`, `pai_machine_spec` and the rest'
alibaba-microservices-2021\t'Alibaba\'s microservices of 2021: `MSResource`, `Node`, `MSRTQps`, `MSCallGraph`'
alibaba-microservices-2022\t'Alibaba\'s microservices of 2022: `MSMetrics`, `NodeMetrics`, `MSRTMCR`, `CallGraph`'
alibaba-gpu-2023\t'Requests of Alibaba\'s GPU pods of 2023: `openb_pod_list`, `openb_node_list`'
alibaba-genai-2026\t'Pods of Alibaba that serve image generation, of 2026: `pod_memory_util_anon` and the other metrics'
bitbrains\t'Virtual machines of Bitbrains (GWA-T-12): `fastStorage/2013-8/1.csv`, `rnd/2013-8/1.csv`'
azure-2017\t'Virtual machines of Azure, V1: `vmtable`, `vm_cpu_readings`'
azure-2019\t'Virtual machines of Azure, V2: `vmtable`, `vm_cpu_readings`'
prometheus\t'Answers of Prometheus: `query_range` of metrics of containers, JSON'
table\t'Your own series: one row per workload and time, columns by name'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l workloads -d 'Table of what was known at submission; ends and lifetimes in it are ignored' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l map -d 'Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l base -d 'Manifest or stack file to fill in (`-`: standard input); what comes out is the whole of it, with other resources. A folder is a batch of manifests: without --out the answer is a table of its containers' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l assign -d 'Table (CSV) of which container is which workload: `workload`, `name`, `container`, and where needed `kind`, `namespace` [default: the annotation `shadow.dev/workload`, else the names]' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l container -d 'Container to size, or `WORKLOAD=CONTAINER` for one of several workloads in a manifest, which can be repeated [default: the only one of the manifest, else made from the workload\'s name]' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l name -d 'Name of the object or service [default: made from the workload\'s name]' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l namespace -d 'Namespace of the object' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l kind -d 'Kind of the object [default: that of the manifest given with --base, else deployment]' -r -f -a "deployment\t'Deployment'
statefulset\t'`StatefulSet`'
daemonset\t'`DaemonSet`'
job\t'Job'
cronjob\t'`CronJob`'
pod\t'Pod'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l helm-path -d 'Where the values of a Helm chart have `resources`, as in `backend.app`' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l day -d 'Day (UTC) on which the recommender of an autoscaler starts from the checkpoint, as in `2026-05-04`' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l out -d 'Folder for forms that are several files; for a folder of manifests one that is new or that shadow wrote' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l memory-limit-factor -d 'Memory limit as a multiple of the memory request; 1: what a pod uses above its request is its neighbours\'' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l granularity -d 'In what the answer is given: amounts of CPU and memory, whole machines of a catalogue, or amounts with network' -r -f -a "cores\t'Amounts of CPU and memory'
vm\t'Whole machines: the cheapest that hold the replicas, with the runners-up'
network\t'Amounts of CPU and memory, and network bandwidth as annotations of pods (a change of them restarts the pods)'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l replicas -d 'Replicas to place' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l catalog -d 'Catalogue to use instead of the built-in one: CSV as `shadow instances -o csv` prints it; provider, name, vCPU and memory are needed, family, category, architecture, network, price and its source are used where they are there' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l provider -d 'Only from these providers, with commas [default: all]' -r -f -a "aws\t'Amazon EC2'
gcp\t'Google Compute Engine'
azure\t'Microsoft Azure'
other\t'Any other name, from a catalogue of your own'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l family -d 'Only these families, with commas, as in `m7i,c7i`' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l category -d 'Only families made for this, with commas; burstable ones only if named' -r -f -a "general\t'About 4 GiB per vCPU'
compute\t'2 GiB per vCPU or less'
memory\t'8 GiB per vCPU or more'
burstable\t'Shares of a vCPU with credits'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l arch -d 'Instruction set; an image for one does not run on the other, so `any` is for workloads built for both' -r -f -a "amd64\t'64-bit x86'
arm64\t'64-bit Arm'
any\t'Both'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l headroom -d 'Share of what pods can use that stays free: for the operating system and for agents on every node' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l reserve -d 'What else runs on a machine: the kubelet and system of the provider\'s Kubernetes service, or nothing [default: kubernetes; nothing for `-o terraform-aws`, `terraform-gcp` and `terraform-azure`]' -r -f -a "kubernetes\t'A node of the provider\'s Kubernetes service: its published reservations are taken off'
nothing\t'Nothing: the workload has the machine to itself'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l show -d 'How many choices to show, one per family' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l explain -d 'Show the neighbours with what they needed, where they differ, and what the answer would be without each'
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l diff -d 'Show what --base would become, as a unified diff with `a/` and `b/` before its paths'
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l check -d 'End with exit code 4 when a request in --base is outside the interval of its prediction, or missing'
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l cpu-limit -d 'Set a CPU limit too; it throttles even on an idle node, so none is set by default'
complete -c shadow -n "__fish_shadow_using_subcommand predict" -l allow-uncertain -d 'Write a manifest from an uncertain answer too: one without an interval, or with a confidence below 0.1'
complete -c shadow -n "__fish_shadow_using_subcommand predict" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand predict" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand predict" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -s k -l neighbours -d 'Number of neighbours' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l metric -d 'How distance is measured' -r -f -a "euclidean\t'Straight-line distance: level and shape count'
cosine\t'Angle between fingerprints: shape counts, level does not'"
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l weights -d 'Weights of resources: cpu, memory, network, disk and facts; 1 each by default' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l application -d 'Only workloads of this application; can be repeated' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l user -d 'Only workloads of this owner; can be repeated' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l class -d 'Only workloads of this scheduling class; can be repeated' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l source -d 'Only workloads from traces of this format; can be repeated' -r -f -a "auto\t'Tell from names, headers and content, and say what it was taken for'
google-2011\t'Google cluster data of 2011: `task_usage`, `task_events`, `job_events`, `machine_events`'
google-2019\t'Google cluster data of 2019: `instance_usage`, `instance_events`, `collection_events` (JSON Lines or CSV)'
alibaba-2017\t'Alibaba cluster data of 2017: `container_usage`, `container_event`, `batch_task`, `batch_instance`, `server_event`'
alibaba-2018\t'Alibaba cluster data of 2018: `container_usage`, `container_meta`, `machine_meta`, `batch_task`, `batch_instance`'
alibaba-gpu-2020\t'Alibaba\'s PAI of 2020, tasks on GPUs: `pai_task_table`, `pai_sensor_table`, `pai_machine_spec` and the rest'
alibaba-microservices-2021\t'Alibaba\'s microservices of 2021: `MSResource`, `Node`, `MSRTQps`, `MSCallGraph`'
alibaba-microservices-2022\t'Alibaba\'s microservices of 2022: `MSMetrics`, `NodeMetrics`, `MSRTMCR`, `CallGraph`'
alibaba-gpu-2023\t'Requests of Alibaba\'s GPU pods of 2023: `openb_pod_list`, `openb_node_list`'
alibaba-genai-2026\t'Pods of Alibaba that serve image generation, of 2026: `pod_memory_util_anon` and the other metrics'
bitbrains\t'Virtual machines of Bitbrains (GWA-T-12): `fastStorage/2013-8/1.csv`, `rnd/2013-8/1.csv`'
azure-2017\t'Virtual machines of Azure, V1: `vmtable`, `vm_cpu_readings`'
azure-2019\t'Virtual machines of Azure, V2: `vmtable`, `vm_cpu_readings`'
prometheus\t'Answers of Prometheus: `query_range` of metrics of containers, JSON'
table\t'Your own series: one row per workload and time, columns by name'"
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l since -d 'Only workloads that began at this time or later: a date, or a time of the trace, as in `36h`' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l until -d 'Only workloads that began before this time' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l window -d 'Learning window of the index to ask [default: the longest one that the sample fills]' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -s o -l output -d 'Form of the answer [default: table on a terminal, else json]' -r -f -a "table\t'For people'
json\t'One JSON document'
csv\t'One row per neighbour'"
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l format -d 'Format of the sample' -r -f -a "auto\t'Tell from names, headers and content, and say what it was taken for'
google-2011\t'Google cluster data of 2011: `task_usage`, `task_events`, `job_events`, `machine_events`'
google-2019\t'Google cluster data of 2019: `instance_usage`, `instance_events`, `collection_events` (JSON Lines or CSV)'
alibaba-2017\t'Alibaba cluster data of 2017: `container_usage`, `container_event`, `batch_task`, `batch_instance`, `server_event`'
alibaba-2018\t'Alibaba cluster data of 2018: `container_usage`, `container_meta`, `machine_meta`, `batch_task`, `batch_instance`'
alibaba-gpu-2020\t'Alibaba\'s PAI of 2020, tasks on GPUs: `pai_task_table`, `pai_sensor_table`, `pai_machine_spec` and the rest'
alibaba-microservices-2021\t'Alibaba\'s microservices of 2021: `MSResource`, `Node`, `MSRTQps`, `MSCallGraph`'
alibaba-microservices-2022\t'Alibaba\'s microservices of 2022: `MSMetrics`, `NodeMetrics`, `MSRTMCR`, `CallGraph`'
alibaba-gpu-2023\t'Requests of Alibaba\'s GPU pods of 2023: `openb_pod_list`, `openb_node_list`'
alibaba-genai-2026\t'Pods of Alibaba that serve image generation, of 2026: `pod_memory_util_anon` and the other metrics'
bitbrains\t'Virtual machines of Bitbrains (GWA-T-12): `fastStorage/2013-8/1.csv`, `rnd/2013-8/1.csv`'
azure-2017\t'Virtual machines of Azure, V1: `vmtable`, `vm_cpu_readings`'
azure-2019\t'Virtual machines of Azure, V2: `vmtable`, `vm_cpu_readings`'
prometheus\t'Answers of Prometheus: `query_range` of metrics of containers, JSON'
table\t'Your own series: one row per workload and time, columns by name'"
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l workloads -d 'Table of what was known of the sample\'s workloads at submission' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l map -d 'Where a column of the `table` format comes from, as in `cpu_cores=cpu_pct/100`; can be repeated' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand neighbours" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l window -d 'Learning window: how much of a newcomer is seen; `0s` asks at submission' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l windows -d 'Show as well how answers improve with what was seen: learning windows with commas, as in `10s,30s,60s,5m,30m`' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l split -d 'Which workloads a prediction may rest on: one, several with commas, or `all`' -r -f -a "recurring\t'Time order; other instances of the same application may have ended before'
unseen\t'Time order; nothing of the same application, job or user is in the store'
leaky\t'Random, ignoring time: it flatters, and is shown only beside the honest figures'
all\t'The three of them, side by side'"
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l cuts -d 'Shares of the trace\'s time at which the calibration period and the test period begin' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l lives -d 'What counts as the life of a workload' -r -f -a "whole\t'From its start to its end; who was not seen starting is not asked about, who was not seen ending needs at least so much'
sampled\t'From its first row to its last, for traces of machines that run throughout: the window is then no start-up'"
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l cpu-percentile -d 'Which percentile of its rows\' means a workload needs of CPU' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l instances -d 'Instances without a series: how many of each task are replayed, drawn by a hash of their names' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l tasks -d 'Instances without a series: of how many tasks they are replayed, drawn in the same way; all unless said' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l rivals -d 'Rivals, with commas, or `all`' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l feedback -d 'Whether OOM kills restart the workload with more memory' -r -f -a "on\t'On'
off\t'Off'"
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l coverage -d 'Share of workloads whose need shall fit into the allocation, between 0 and 1' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -s k -l neighbours -d 'Number of neighbours to combine; by default 15, or 60 where on the store these would have wasted less' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l seed -d 'Seed of folds, random neighbours and resampling' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l gate -d 'Conditions that must hold, with commas; exit code 4 if one does not' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l report -d 'Write the report as one self-contained HTML page as well' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand replay" -s o -l output -d 'Form of the answer' -r -f -a "table\t'For people'
json\t'Everything, one JSON document'
csv\t'One row per rival and resource'"
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand replay" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand replay" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand replay" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand info" -s o -l output -d 'Form of the answer' -r -f -a "table\t'For people'
json\t'For programs: everything, with counts, extremes and sums of every column read'"
complete -c shadow -n "__fish_shadow_using_subcommand info" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand info" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand info" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand info" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand info" -l quality -d 'Read all samples and count what is odd about them, by source'
complete -c shadow -n "__fish_shadow_using_subcommand info" -l check -d 'Read every file of the store and its indexes and compare it with what was written'
complete -c shadow -n "__fish_shadow_using_subcommand info" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand info" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l cpu -d 'CPU of one replica, as in `1500m` or `2`' -r
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l memory -d 'Memory of one replica, as in `3GiB`' -r
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l network -d 'Network of one replica per second, as in `25MB`; checked where the catalogue knows a machine\'s' -r
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l replicas -d 'Replicas to place' -r
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l catalog -d 'Catalogue to use instead of the built-in one: CSV as `shadow instances -o csv` prints it; provider, name, vCPU and memory are needed, family, category, architecture, network, price and its source are used where they are there' -r -F
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l provider -d 'Only from these providers, with commas [default: all]' -r -f -a "aws\t'Amazon EC2'
gcp\t'Google Compute Engine'
azure\t'Microsoft Azure'
other\t'Any other name, from a catalogue of your own'"
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l family -d 'Only these families, with commas, as in `m7i,c7i`' -r
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l category -d 'Only families made for this, with commas; burstable ones only if named' -r -f -a "general\t'About 4 GiB per vCPU'
compute\t'2 GiB per vCPU or less'
memory\t'8 GiB per vCPU or more'
burstable\t'Shares of a vCPU with credits'"
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l arch -d 'Instruction set; an image for one does not run on the other, so `any` is for workloads built for both' -r -f -a "amd64\t'64-bit x86'
arm64\t'64-bit Arm'
any\t'Both'"
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l headroom -d 'Share of what pods can use that stays free: for the operating system and for agents on every node' -r
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l reserve -d 'What else runs on a machine: the kubelet and system of the provider\'s Kubernetes service, or nothing [default: kubernetes; nothing for `-o terraform-aws`, `terraform-gcp` and `terraform-azure`]' -r -f -a "kubernetes\t'A node of the provider\'s Kubernetes service: its published reservations are taken off'
nothing\t'Nothing: the workload has the machine to itself'"
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l show -d 'How many choices to show, one per family' -r
complete -c shadow -n "__fish_shadow_using_subcommand instances" -s o -l output -d 'Form of the answer' -r -f -a "table\t'For people'
json\t'For programs'
csv\t'For spreadsheets; a listing is a catalogue that `--catalog` reads'"
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand instances" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand instances" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand instances" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand instances" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand synth" -l workloads -d 'Number of workloads' -r
complete -c shadow -n "__fish_shadow_using_subcommand synth" -l days -d 'Length of the trace in days' -r
complete -c shadow -n "__fish_shadow_using_subcommand synth" -l seed -d 'Seed' -r
complete -c shadow -n "__fish_shadow_using_subcommand synth" -s o -l output -d 'Folder to write into' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand synth" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand synth" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand synth" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand synth" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand synth" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand synth" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand synth" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c shadow -n "__fish_shadow_using_subcommand demo" -l keep -d 'New or empty folder that keeps the demo\'s files and store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand demo" -l traces -d 'Folder of the sample traces [default: the bundled ones]' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand demo" -l store -d 'Folder of the store' -r -f -a "(__fish_complete_directories)"
complete -c shadow -n "__fish_shadow_using_subcommand demo" -l threads -d 'Most threads to use [default: `RAYON_NUM_THREADS`, else one per processor]' -r
complete -c shadow -n "__fish_shadow_using_subcommand demo" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand demo" -l progress -d 'When to show progress on standard error: auto, always or never' -r -f -a "auto\t'On a terminal, unless -q or -v is given'
always\t'Always; one line a second where it is not a terminal'
never\t'Never'"
complete -c shadow -n "__fish_shadow_using_subcommand demo" -s q -l quiet -d 'Say only what went wrong: no progress, no notes'
complete -c shadow -n "__fish_shadow_using_subcommand demo" -s v -l verbose -d 'Say what is being done, twice for details; replaces the progress bars (filter: `SHADOW_LOG`)'
complete -c shadow -n "__fish_shadow_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
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
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "ingest" -d 'Reads trace files into the store'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "fingerprint" -d 'Fits and indexes the fingerprints of the stored workloads'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "map" -d 'Draws a map of the stored workloads: alike is near'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "predict" -d 'Predicts what a workload needs from its first minutes'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "neighbours" -d 'Shows the stored workloads that resemble a sample most'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "replay" -d 'Replays the trace and scores shadow beside its rivals'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "info" -d 'Shows what the store holds'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "instances" -d 'Lists machines to rent, or ranks them for a need'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "synth" -d 'Writes a synthetic trace in one of the real formats'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "demo" -d 'Shows ingest, fingerprint, predict and replay on bundled sample traces'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "completions" -d 'Prints a completion script for a shell'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "man" -d 'Prints the manual page of shadow or of one of its commands'
complete -c shadow -n "__fish_shadow_using_subcommand help; and not __fish_seen_subcommand_from ingest fingerprint map predict neighbours replay info instances synth demo completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
