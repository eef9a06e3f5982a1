//! The catalogue: written by hand by families, or read from the user's file; and what a filter leaves of it.

use crate::emit::EmitError;
use crate::units::{Bytes, BytesPerSecond, Cores};

use super::{Architecture, Category, HourlyPrice, InstanceType, Provider, file};

/// Families with their sizes; see the head of the file.
const FAMILIES: &str = include_str!("families.csv");

/// Returns region, day and source of the built-in prices.
const fn price_source(provider: Provider) -> &'static str {
    match provider {
        Provider::Aws => "us-east-1, 2026-07-20, list price of Amazon EC2 as karpenter-provider-aws keeps it",
        Provider::Gcp => "us-central1, 2026-07-30, list price of Compute Engine as gcosts keeps it",
        Provider::Azure => "eastus, 2026-06-18, list price of Azure as karpenter-provider-azure keeps it",
        Provider::Other => "",
    }
}

/// Types of machines, by provider and name, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    types: Vec<InstanceType>,
}

/// What a machine must be; an empty list allows everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// From one of these.
    pub providers: Vec<Provider>,
    /// Of one of these families, in any case.
    pub families: Vec<String>,
    /// Made for one of these; burstable machines only if named here.
    pub categories: Vec<Category>,
    /// Of this instruction set; nothing for any. A type that does not say counts as amd64.
    pub architecture: Option<Architecture>,
}

impl Filter {
    /// Returns whether `instance` is allowed.
    pub fn allows(&self, instance: &InstanceType) -> bool {
        let architecture = instance.architecture.unwrap_or(Architecture::Amd64);
        let category = instance.category.unwrap_or(Category::General);
        (self.providers.is_empty() || self.providers.contains(&instance.provider))
            && (self.families.is_empty()
                || self.families.iter().any(|family| family.eq_ignore_ascii_case(&instance.family)))
            && self.architecture.is_none_or(|wanted| wanted == architecture)
            && if self.categories.is_empty() {
                category != Category::Burstable
            } else {
                self.categories.contains(&category)
            }
    }
}

impl Catalogue {
    /// Returns the built-in catalogue: current general, compute and memory families of three clouds.
    ///
    /// # Errors
    /// None, unless this program was built with a broken catalogue; a test reads every row.
    pub fn built_in() -> Result<Self, EmitError> {
        let broken = |line: &str| EmitError::BadCatalogue(format!("the built-in catalogue has the line `{line}`"));
        let mut types = Vec::new();
        for line in FAMILIES.lines().filter(|line| !line.starts_with('#')).skip(1) {
            types.extend(family(line).ok_or_else(|| broken(line))?);
        }
        Self::of(types)
    }

    /// Reads a catalogue in CSV; see [`file`] for its columns.
    ///
    /// # Errors
    /// [`EmitError::BadCatalogue`] with the line and column that cannot be used.
    pub fn parse(text: &str) -> Result<Self, EmitError> {
        Self::of(file::read(text)?)
    }

    fn of(mut types: Vec<InstanceType>) -> Result<Self, EmitError> {
        types.sort_by(|left, right| (left.provider, &left.name).cmp(&(right.provider, &right.name)));
        let twice = types.windows(2).find(|pair| pair[0].provider == pair[1].provider && pair[0].name == pair[1].name);
        if let Some([first, _]) = twice {
            return Err(EmitError::BadCatalogue(format!(
                "it holds `{}` of {} twice",
                first.name.escape_debug(),
                first.provider.name()
            )));
        }
        Ok(Self { types })
    }

    /// Returns all types, by provider and name.
    pub fn types(&self) -> &[InstanceType] {
        &self.types
    }

    /// Returns the types that `filter` allows, family by family, the smallest first.
    pub fn filtered(&self, filter: &Filter) -> Vec<&InstanceType> {
        let mut found: Vec<&InstanceType> = self.types.iter().filter(|instance| filter.allows(instance)).collect();
        let key = |instance: &InstanceType| {
            (instance.provider, instance.family.clone(), instance.category, instance.vcpu, instance.memory)
        };
        found.sort_by(|left, right| key(left).cmp(&key(right)).then_with(|| left.name.cmp(&right.name)));
        found
    }
}

/// Reads one line of the built-in catalogue.
fn family(line: &str) -> Option<Vec<InstanceType>> {
    let mut fields = line.splitn(8, ',');
    let mut next = || fields.next();
    let provider = file::provider(next()?)?;
    let (family, category, architecture) = (next()?, file::category(next()?)?, file::architecture(next()?)?);
    let pattern = next()?;
    let memory_per_vcpu: u64 = next()?.parse().ok()?;
    let price_per_vcpu: u64 = next()?.parse().ok()?;
    let sizes = next()?.split(' ');
    sizes
        .map(|size| {
            let (suffix, rest) = size.split_once('=').map_or((None, size), |(suffix, rest)| (Some(suffix), rest));
            let mut parts = rest.split('/');
            let vcpu_text = parts.next()?;
            let vcpu: u64 = vcpu_text.parse().ok()?;
            let megabits: u64 = parts.next()?.parse().ok()?;
            let mebibytes = match parts.next() {
                Some(text) => text.parse().ok()?,
                None => vcpu * memory_per_vcpu,
            };
            let price = match parts.next() {
                Some(text) => text.parse().ok()?,
                None => vcpu * price_per_vcpu,
            };
            Some(InstanceType {
                provider,
                name: pattern.replace('*', suffix.unwrap_or(vcpu_text)),
                family: family.to_owned(),
                category: Some(category),
                architecture: Some(architecture),
                vcpu: Cores::from_millis(vcpu * 1000),
                memory: Bytes::from_mebibytes(mebibytes),
                network: Some(BytesPerSecond::new(megabits * 125_000)),
                price: Some(HourlyPrice::from_micros(price)),
                price_source: price_source(provider).to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_holds_three_clouds_and_both_architectures() {
        let catalogue = Catalogue::built_in().unwrap();
        for provider in [Provider::Aws, Provider::Gcp, Provider::Azure] {
            for architecture in [Architecture::Amd64, Architecture::Arm64] {
                for category in [Category::General, Category::Memory] {
                    let filter = Filter {
                        providers: vec![provider],
                        categories: vec![category],
                        architecture: Some(architecture),
                        ..Filter::default()
                    };
                    assert!(!catalogue.filtered(&filter).is_empty(), "{provider:?} {architecture:?} {category:?}");
                }
            }
        }
        let large = catalogue.types().iter().find(|instance| instance.name == "m7i.xlarge").unwrap();
        assert_eq!((large.vcpu, large.memory), (Cores::from_millis(4000), Bytes::from_mebibytes(16 << 10)));
        assert_eq!(large.price, Some(HourlyPrice::from_micros(201_600)));
        assert_eq!(large.network, Some(BytesPerSecond::new(195_250_000)));
    }

    #[test]
    fn burstable_machines_are_left_out_unless_named() {
        let catalogue = Catalogue::parse(
            "provider,name,vcpu,memory_gib,category\naws,t3.micro,2,1,burstable\naws,m7i.large,2,8,general\n",
        )
        .unwrap();
        assert_eq!(catalogue.filtered(&Filter::default()).len(), 1);
        let filter = Filter { categories: vec![Category::Burstable], ..Filter::default() };
        assert_eq!(catalogue.filtered(&filter)[0].name, "t3.micro");
    }
}
