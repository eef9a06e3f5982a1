//! Machines and rankings as CSV. A listing is a catalogue again: [`super::Catalogue::parse`] reads it.

use crate::emit::EmitError;
use crate::emit::csv::guard;

use super::{Architecture, Category, InstanceType, Ranking};

const CATALOGUE: [&str; 9] =
    ["provider", "name", "family", "category", "arch", "vcpu", "memory_gib", "network_gbps_baseline", "price_usd_hour"];

const GIB: f64 = 1_073_741_824.0;

/// Returns the columns of [`CATALOGUE`] and the source of the price.
fn fields(instance: &InstanceType) -> Vec<String> {
    let network = instance.network.map(|rate| (rate.get() as f64 / 125e6).to_string());
    vec![
        instance.provider.name().to_owned(),
        guard(&instance.name),
        guard(&instance.family),
        instance.category.map(Category::name).unwrap_or_default().to_owned(),
        instance.architecture.map(Architecture::name).unwrap_or_default().to_owned(),
        instance.vcpu.as_f64().to_string(),
        (instance.memory.as_f64() / GIB).to_string(),
        network.unwrap_or_default(),
        instance.price.map(|price| price.as_dollars().to_string()).unwrap_or_default(),
        guard(&instance.price_source),
    ]
}

/// Returns a catalogue of `types`.
///
/// # Errors
/// [`EmitError::Encode`], a defect.
pub fn catalogue_csv(types: &[&InstanceType]) -> Result<String, EmitError> {
    let header = CATALOGUE.iter().copied().chain(["source"]).map(str::to_owned).collect();
    written(std::iter::once(header).chain(types.iter().map(|instance| fields(instance))))
}

/// Returns the first `most` placements of `ranking`, the choice first.
///
/// # Errors
/// [`EmitError::Encode`], a defect.
pub fn ranking_csv(ranking: &Ranking, most: usize) -> Result<String, EmitError> {
    let columns = ["instances", "replicas_per_instance", "bound_by", "total_usd_hour"];
    let header = CATALOGUE.iter().copied().chain(["source"]).chain(columns).map(str::to_owned).collect();
    let rows = ranking.placements.iter().take(most.max(1)).map(|placement| {
        let mut row = fields(&placement.instance);
        row.extend([
            placement.count.to_string(),
            placement.per_instance.to_string(),
            placement.bound.name().to_owned(),
            placement.price.as_dollars().to_string(),
        ]);
        row
    });
    written(std::iter::once(header).chain(rows))
}

fn written(rows: impl Iterator<Item = Vec<String>>) -> Result<String, EmitError> {
    let failed = |error: ::csv::Error| EmitError::Encode(error.to_string());
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| EmitError::Encode(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| EmitError::Encode(error.to_string()))
}
