//! A catalogue of the user's own: CSV with a header, columns by name in any order.
//!
//! Needed: `provider`, `name`, `vcpu`, `memory_gib`. Known: `family`, `category`, `arch`, `network_gbps_baseline`,
//! `price_usd_hour` (or `price_usd_hour_linux_ondemand`), `region_basis`, `source`. Others are ignored; an empty field
//! is unknown, never 0.

use crate::emit::EmitError;
use crate::units::{Bytes, BytesPerSecond, Cores};

use super::{Architecture, Category, HourlyPrice, InstanceType, Provider};

/// The largest catalogue that is read: a hundred times the three clouds together.
const LONGEST: usize = 64 << 20;

/// Returns the provider of that name; any other text is the user's own.
pub(super) fn provider(text: &str) -> Option<Provider> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" => None,
        "aws" => Some(Provider::Aws),
        "gcp" => Some(Provider::Gcp),
        "azure" => Some(Provider::Azure),
        _ => Some(Provider::Other),
    }
}

/// Returns the category of that name.
pub(super) fn category(text: &str) -> Option<Category> {
    [Category::General, Category::Compute, Category::Memory, Category::Burstable]
        .into_iter()
        .find(|category| category.name().eq_ignore_ascii_case(text.trim()))
}

/// Returns the instruction set of that name.
pub(super) fn architecture(text: &str) -> Option<Architecture> {
    match text.trim().to_ascii_lowercase().as_str() {
        "amd64" | "x86_64" | "x86" => Some(Architecture::Amd64),
        "arm64" | "aarch64" => Some(Architecture::Arm64),
        _ => None,
    }
}

/// Reads all rows.
pub(super) fn read(text: &str) -> Result<Vec<InstanceType>, EmitError> {
    if text.len() > LONGEST {
        return Err(EmitError::BadCatalogue(format!("it is {} bytes long, at most {LONGEST} are read", text.len())));
    }
    let broken = |error: ::csv::Error| EmitError::BadCatalogue(error.to_string());
    let mut reader =
        ::csv::ReaderBuilder::new().trim(::csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let header = reader.headers().map_err(broken)?.clone();
    let column = |name: &str| header.iter().position(|found| found == name);
    let needed = |name: &str| column(name).ok_or_else(|| EmitError::BadCatalogue(format!("it has no column `{name}`")));
    let columns = Columns {
        provider: needed("provider")?,
        name: needed("name")?,
        vcpu: needed("vcpu")?,
        memory: needed("memory_gib")?,
        family: column("family"),
        category: column("category"),
        architecture: column("arch"),
        network: column("network_gbps_baseline"),
        price: column("price_usd_hour").or_else(|| column("price_usd_hour_linux_ondemand")),
        region: column("region_basis"),
        source: column("source"),
    };
    let mut types = Vec::new();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        types.push(columns.row(&record)?);
    }
    if types.is_empty() {
        return Err(EmitError::BadCatalogue("it holds no machine".to_owned()));
    }
    Ok(types)
}

struct Columns {
    provider: usize,
    name: usize,
    vcpu: usize,
    memory: usize,
    family: Option<usize>,
    category: Option<usize>,
    architecture: Option<usize>,
    network: Option<usize>,
    price: Option<usize>,
    region: Option<usize>,
    source: Option<usize>,
}

impl Columns {
    fn row(&self, record: &::csv::StringRecord) -> Result<InstanceType, EmitError> {
        let line = record.position().map_or(0, ::csv::Position::line);
        let text = |column: usize| record.get(column).unwrap_or_default();
        let optional = |column: Option<usize>| column.map(text).filter(|text| !text.is_empty());
        let bad = |column: &str, found: &str, expected: &str| {
            EmitError::BadCatalogue(format!(
                "line {line}: `{column}` is `{}`, expected {expected}",
                found.escape_debug()
            ))
        };
        let amount = |column: &str, found: &str, scale: f64| -> Result<f64, EmitError> {
            let number: Option<f64> = found.parse().ok().filter(|n: &f64| n.is_finite() && *n > 0.0);
            number.map(|number| number * scale).ok_or_else(|| bad(column, found, "a number above 0"))
        };
        let name = text(self.name);
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(bad("name", name, "the name of a machine"));
        }
        let vcpu = amount("vcpu", text(self.vcpu), 1.0)?;
        let memory = amount("memory_gib", text(self.memory), f64::from(1_u32 << 30))?;
        let network = optional(self.network).map(|found| {
            let rate = amount("network_gbps_baseline", found, 125e6)?;
            BytesPerSecond::from_f64_up(rate.round())
                .map_err(|_out_of_range| bad("network_gbps_baseline", found, "Gbit/s"))
        });
        let price = optional(self.price).map(|found| {
            let micros = amount("price_usd_hour", found, 1e6)?;
            whole(micros.round()).map(HourlyPrice::from_micros).ok_or_else(|| bad("price_usd_hour", found, "dollars"))
        });
        let family = optional(self.family).or_else(|| name.split_once('.').map(|(family, _)| family));
        let source = [optional(self.region), optional(self.source)].into_iter().flatten().collect::<Vec<_>>();
        Ok(InstanceType {
            provider: provider(text(self.provider))
                .ok_or_else(|| bad("provider", "", "aws, gcp, azure or a name of your own"))?,
            name: name.to_owned(),
            family: family.unwrap_or_default().to_owned(),
            category: optional(self.category)
                .map(|found| {
                    category(found).ok_or_else(|| bad("category", found, "general, compute, memory or burstable"))
                })
                .transpose()?,
            architecture: optional(self.architecture)
                .map(|found| architecture(found).ok_or_else(|| bad("arch", found, "amd64 or arm64")))
                .transpose()?,
            // To the nearest unit: 0.08925 dollars are 89250.00000000001 micro-dollars in floating point.
            vcpu: Cores::from_nanos(whole((vcpu * 1e9).round()).ok_or_else(|| bad("vcpu", text(self.vcpu), "vCPUs"))?),
            memory: Bytes::new(whole(memory.round()).ok_or_else(|| bad("memory_gib", text(self.memory), "GiB"))?),
            network: network.transpose()?,
            price: price.transpose()?,
            price_source: source.join(", "),
        })
    }
}

/// Returns a number that was already rounded, if it can be held.
fn whole(number: f64) -> Option<u64> {
    Bytes::from_f64_up(number).ok().map(Bytes::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_and_unknown_values_stay_unknown() {
        let text = "name,ignored,memory_gib,provider,vcpu,price_usd_hour\nrack-1,x,64,dc1,16,\n";
        let types = read(text).unwrap();
        assert_eq!(types.len(), 1);
        assert_eq!((types[0].provider, types[0].price, types[0].network), (Provider::Other, None, None));
        assert_eq!((types[0].vcpu, types[0].memory), (Cores::from_millis(16_000), Bytes::from_mebibytes(64 << 10)));
    }

    #[test]
    fn a_bad_row_is_named_by_line_and_column() {
        let message = |row: &str| {
            read(&format!("provider,name,vcpu,memory_gib,arch,price_usd_hour\n{row}\n")).unwrap_err().to_string()
        };
        for (row, expected) in [
            ("aws,m,0,8,,", "line 2: `vcpu` is `0`, expected a number above 0"),
            ("aws,m,2,NaN,,", "line 2: `memory_gib` is `NaN`, expected a number above 0"),
            ("aws,m,2,inf,,", "line 2: `memory_gib` is `inf`, expected a number above 0"),
            ("aws,m,2,1e30,,", "line 2: `memory_gib` is `1e30`, expected GiB"),
            ("aws,m,2,8,sparc,", "line 2: `arch` is `sparc`, expected amd64 or arm64"),
            ("aws,m,2,8,,-1", "line 2: `price_usd_hour` is `-1`, expected a number above 0"),
            ("aws,,2,8,,", "line 2: `name` is ``, expected the name of a machine"),
        ] {
            assert!(message(row).ends_with(expected), "{row}: {}", message(row));
        }
        for text in
            ["", "provider,name,vcpu\n", "provider,name,vcpu,memory_gib\n", "provider,name,vcpu,memory_gib\na\n"]
        {
            assert!(matches!(read(text), Err(EmitError::BadCatalogue(_))), "{text}");
        }
    }
}
