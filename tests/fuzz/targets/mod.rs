//! What is fuzzed, each by its name: a function that takes any bytes and must return. A panic is a finding; so is an error that the
//! program would report as a bug of its own, since whatever stands in a file is the fault of the file.
//!
//! Checksums would stop nearly every input at the door, so a target puts its input behind good ones (`sealing`), and besides whole files takes
//! changes to a good one (`changes`): inputs stay small, and reach what only a file that is right elsewhere comes to. `docs/fuzzing.md` says
//! what each target reads and what was found.

mod changes;
mod index;
mod readers;
mod sealing;
mod store;

/// One target.
pub(crate) struct Target {
    /// Its name on the command line, and that of the folder with its inputs.
    pub(crate) name: &'static str,
    /// Reads the bytes as the target says.
    pub(crate) run: fn(&[u8]),
}

/// All targets.
pub(crate) const TARGETS: &[Target] = &[
    Target { name: "blocks", run: index::blocks },
    Target { name: "index-manifest", run: index::manifest },
    Target { name: "index-model", run: index::model },
    Target { name: "index-tree", run: index::tree },
    Target { name: "index-rows", run: index::rows },
    Target { name: "index-calibrations", run: index::calibrations },
    Target { name: "index-forest", run: index::forest },
    Target { name: "index-tables", run: index::tables },
    Target { name: "store-tables", run: store::tables },
    Target { name: "store-runs", run: store::runs },
    Target { name: "container", run: readers::container },
    Target { name: "google-2011", run: |input| readers::read("google-2011", input) },
    Target { name: "google-2019", run: |input| readers::read("google-2019", input) },
    Target { name: "alibaba-2017", run: |input| readers::read("alibaba-2017", input) },
    Target { name: "alibaba-2018", run: |input| readers::read("alibaba-2018", input) },
    Target { name: "alibaba-gpu-2020", run: |input| readers::read("alibaba-gpu-2020", input) },
    Target { name: "alibaba-gpu-2023", run: |input| readers::read("alibaba-gpu-2023", input) },
    Target { name: "alibaba-microservices-2021", run: |input| readers::read("alibaba-microservices-2021", input) },
    Target { name: "alibaba-microservices-2022", run: |input| readers::read("alibaba-microservices-2022", input) },
    Target { name: "alibaba-genai-2026", run: |input| readers::read("alibaba-genai-2026", input) },
    Target { name: "bitbrains", run: |input| readers::read("bitbrains", input) },
    Target { name: "azure-2017", run: |input| readers::read("azure-2017", input) },
    Target { name: "azure-2019", run: |input| readers::read("azure-2019", input) },
    Target { name: "prometheus", run: |input| readers::read("prometheus", input) },
    Target { name: "table", run: |input| readers::read("table", input) },
];

/// Takes the first byte off an input.
fn split_first(input: &[u8]) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(&first, rest)| (first, rest))
}
