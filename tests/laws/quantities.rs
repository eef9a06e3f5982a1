//! Kubernetes quantities: printing and parsing are inverse, order is kept, the canonical form is stable.

use proptest::prelude::*;
use shadow::units::{Bytes, Cores, Quantity};

const SUFFIXES: [&str; 17] =
    ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e3"];

proptest! {
    #[test]
    fn parsing_what_is_printed_gives_the_same(nanos in any::<u64>(), bytes in any::<u64>(), shift in 0..64_u32) {
        let (cores, memory) = (Cores::from_nanos(nanos >> shift), Bytes::new(bytes >> shift));
        prop_assert_eq!(cores.to_string().parse::<Cores>(), Ok(cores));
        prop_assert_eq!(memory.to_string().parse::<Bytes>(), Ok(memory));
    }

    #[test]
    fn order_is_kept(a in any::<u64>(), b in any::<u64>()) {
        let parsed = |nanos: u64| Cores::from_nanos(nanos).to_string().parse::<Quantity>().unwrap();
        prop_assert_eq!(parsed(a).cmp(&parsed(b)), a.cmp(&b));
        let parsed = |bytes: u64| Bytes::new(bytes).to_string().parse::<Quantity>().unwrap();
        prop_assert_eq!(parsed(a).cmp(&parsed(b)), a.cmp(&b));
    }

    #[test]
    fn the_canonical_form_is_stable(whole in 0..100_000_u32, fraction in 0..1000_u32, suffix in 0..SUFFIXES.len()) {
        let text = format!("{whole}.{fraction:03}{}", SUFFIXES[suffix]);
        let quantity: Quantity = text.parse().unwrap();
        let canonical = quantity.to_string();
        let again: Quantity = canonical.parse().unwrap();
        prop_assert_eq!(quantity, again);
        prop_assert_eq!(again.to_string(), canonical.clone());
        prop_assert!(!canonical.contains(['.', 'e']), "{}", canonical);
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "\\PC*") {
        let _parsed = text.parse::<Quantity>().map(|quantity| quantity.to_string());
    }

    #[test]
    fn a_number_with_a_binary_suffix_is_exact(whole in 0..1_u64 << 34, shift in 0..3_u32) {
        let text = format!("{whole}{}", ["Ki", "Mi", "Gi"][shift as usize]);
        prop_assert_eq!(text.parse(), Ok(Bytes::new(whole << (10 * (shift + 1)))));
    }
}
