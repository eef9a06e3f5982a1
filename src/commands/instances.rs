//! `shadow instances`: what can be rented, or what is cheapest for a need.

use crate::cli::instances::{
    ArchitectureChoice, CategoryChoice, Instances, InstancesForm, MachineChoice, ProviderChoice, ReserveChoice,
};
use crate::emit::instances::{
    Architecture, Catalogue, Category, Demand, Filter, Headroom, InstanceRecord, InstanceType, Provider, RankingRecord,
    Reserve, Terms, catalogue_csv, rank, ranking_csv,
};
use crate::emit::{Renting, ranking_table};
use crate::error::{CommandError, Outcome};
use crate::ui::{Align, Table, Ui};
use crate::units::BytesPerSecond;

pub(crate) fn run(ui: &Ui, args: &Instances) -> Result<Outcome, CommandError> {
    let renting = renting(&args.choice, Reserve::Kubernetes)?;
    if let (Some(cpu), Some(memory)) = (args.cpu, args.memory) {
        let network = args.network.map(|size| BytesPerSecond::new(size.get()));
        return choose(ui, &renting, &Demand { cpu, memory, network, replicas: renting.replicas }, args.output);
    }
    let found = renting.catalogue.filtered(&renting.terms.filter);
    match args.output {
        InstancesForm::Table => ui.data_table(&listing(&found))?,
        InstancesForm::Json => {
            let records: Vec<InstanceRecord<'_>> = found.iter().map(|instance| InstanceRecord::of(instance)).collect();
            ui.data_text(&json(&records)?)?;
        }
        InstancesForm::Csv => ui.data_text(&catalogue_csv(&found)?)?,
    }
    if found.is_empty() {
        ui.warn("no machine of the catalogue passes the filters");
    }
    Ok(Outcome::Done)
}

/// Answers which machines are cheapest for a need.
fn choose(ui: &Ui, renting: &Renting, demand: &Demand, form: InstancesForm) -> Result<Outcome, CommandError> {
    let ranking = rank(&renting.catalogue, demand, &renting.terms);
    match form {
        InstancesForm::Table => {
            ui.data_text(&(ranking_table(&ranking, renting.shown, ui.data_width()) + "\n"))?;
        }
        InstancesForm::Json => ui.data_text(&json(&RankingRecord::of(&ranking, renting.shown))?)?,
        InstancesForm::Csv => ui.data_text(&ranking_csv(&ranking, renting.shown)?)?,
    }
    if ranking.without_price > 0 {
        ui.warn(&format!("{} types would hold it and have no price in the catalogue", ranking.without_price));
    }
    if ranking.placements.is_empty() {
        ui.warn(NOTHING_HOLDS_IT);
        return Ok(Outcome::Abstained);
    }
    Ok(Outcome::Done)
}

/// What to do when no machine is large enough.
pub(super) const NOTHING_HOLDS_IT: &str =
    "no machine that the filters allow holds a replica: allow more with `--arch any`, `--category` or `--provider`";

fn json(value: &impl serde::Serialize) -> Result<String, CommandError> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| CommandError::internal(format!("machines are no JSON: {error}")))? + "\n")
}

fn listing(found: &[&InstanceType]) -> Table {
    let mut table = Table::new([
        ("instance", Align::Left),
        ("provider", Align::Left),
        ("category", Align::Left),
        ("arch", Align::Left),
        ("vCPU", Align::Right),
        ("memory (GiB)", Align::Right),
        ("network (Gbit/s)", Align::Right),
        ("USD/hour", Align::Right),
        ("price of", Align::Left),
    ]);
    for instance in found {
        let unknown = || "-".to_owned();
        table.row([
            instance.name.clone(),
            instance.provider.name().to_owned(),
            instance.category.map_or_else(unknown, |category| category.name().to_owned()),
            instance.architecture.map_or_else(unknown, |architecture| architecture.name().to_owned()),
            instance.vcpu.as_f64().to_string(),
            (instance.memory.as_f64() / f64::from(1_u32 << 30)).to_string(),
            instance.network.map_or_else(unknown, |rate| (rate.get() as f64 / 125e6).to_string()),
            instance.price.map_or_else(unknown, |price| price.to_string()),
            instance.price_source.split(", ").take(2).collect::<Vec<_>>().join(", "),
        ]);
    }
    table
}

/// Returns what machines are chosen from, and how; `usual` is what is reserved on them unless it was said.
pub(super) fn renting(args: &MachineChoice, usual: Reserve) -> Result<Renting, CommandError> {
    let catalogue = match &args.catalog {
        None => Catalogue::built_in()?,
        Some(path) => {
            let text = fs_err::read_to_string(path).map_err(|error| {
                CommandError::user(error.to_string()).hint("`shadow instances -o csv` prints a catalogue to start from")
            })?;
            Catalogue::parse(&text)?
        }
    };
    let headroom = Headroom::from_permille(args.headroom)
        .ok_or_else(|| CommandError::usage("the headroom of `--headroom` is the whole machine"))?;
    let filter = Filter {
        providers: args.provider.iter().copied().map(Provider::from).collect(),
        families: args.family.clone(),
        categories: args.category.iter().copied().map(Category::from).collect(),
        architecture: match args.arch {
            ArchitectureChoice::Amd64 => Some(Architecture::Amd64),
            ArchitectureChoice::Arm64 => Some(Architecture::Arm64),
            ArchitectureChoice::Any => None,
        },
    };
    let reserve = match args.reserve {
        None => usual,
        Some(ReserveChoice::Kubernetes) => Reserve::Kubernetes,
        Some(ReserveChoice::Nothing) => Reserve::Nothing,
    };
    Ok(Renting {
        catalogue,
        terms: Terms { filter, reserve, headroom },
        replicas: args.replicas.get(),
        shown: usize::try_from(args.show.get()).unwrap_or(usize::MAX),
    })
}

impl From<ProviderChoice> for Provider {
    fn from(choice: ProviderChoice) -> Self {
        match choice {
            ProviderChoice::Aws => Self::Aws,
            ProviderChoice::Gcp => Self::Gcp,
            ProviderChoice::Azure => Self::Azure,
            ProviderChoice::Other => Self::Other,
        }
    }
}

impl From<CategoryChoice> for Category {
    fn from(choice: CategoryChoice) -> Self {
        match choice {
            CategoryChoice::General => Self::General,
            CategoryChoice::Compute => Self::Compute,
            CategoryChoice::Memory => Self::Memory,
            CategoryChoice::Burstable => Self::Burstable,
        }
    }
}
