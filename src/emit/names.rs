//! Names in Kubernetes: those that users gave are checked, those from a trace are made to fit.

use super::EmitError;

/// Returns a DNS-1123 label of at most `longest` (16 or more) characters made from `original`.
///
/// Lower case, every other character to `-`, runs of `-` to one, a letter or digit at both ends. Where that changed
/// anything, 6 hex digits of a hash of the original keep different originals apart. An empty name becomes `workload`.
pub(super) fn made(original: &str, longest: usize) -> String {
    if original.is_empty() {
        return "workload".to_owned();
    }
    if is_label(original, longest) {
        return original.to_owned();
    }
    let mut name = String::new();
    for character in original.to_lowercase().chars() {
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            name.push(character);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let mut name = name.trim_matches('-').to_owned();
    if name.is_empty() {
        "workload".clone_into(&mut name);
    }
    if name == original && name.len() <= longest {
        return name;
    }
    name.truncate(longest.saturating_sub(7));
    let hash = blake3::hash(original.as_bytes()).to_hex();
    format!("{}-{}", name.trim_end_matches('-'), &hash.as_str()[..6])
}

/// Returns whether `name` is a DNS-1123 label.
pub(super) fn is_label(name: &str, longest: usize) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty()
        && name.len() <= longest
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// Refuses a label that Kubernetes would refuse.
pub(super) fn check_label(what: &'static str, name: &str) -> Result<(), EmitError> {
    if is_label(name, 63) {
        return Ok(());
    }
    Err(EmitError::BadName { what, name: name.to_owned(), longest: 63 })
}

/// Refuses an object's name (labels joined by dots) that Kubernetes would refuse.
pub(super) fn check_object(name: &str, longest: usize) -> Result<(), EmitError> {
    if name.len() <= longest && name.split('.').all(|label| is_label(label, longest)) {
        return Ok(());
    }
    Err(EmitError::BadName { what: "the object's name", name: name.to_owned(), longest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_names_are_labels_and_tell_originals_apart() {
        assert_eq!(made("checkout", 63), "checkout");
        assert_eq!(made("", 63), "workload");
        let long = "x".repeat(300);
        for original in ["Shop/Check out", "a\nb", "${x}", "=1", "ünïcode", "---", "-a", "日本", long.as_str()] {
            for longest in [52, 63] {
                let name = made(original, longest);
                assert!(is_label(&name, longest), "{original}: {name}");
                assert_ne!(name, original);
            }
        }
        assert_ne!(made("a/b", 63), made("a_b", 63));
        assert_eq!(made("Shop/Checkout", 63), made("Shop/Checkout", 63));
    }

    #[test]
    fn given_names_are_refused_not_changed() {
        for name in ["", "A", "a_b", "-a", "a-", "a b", "a..b"] {
            assert!(check_object(name, 253).is_err(), "{name}");
        }
        assert!(check_object("a.b-c.1", 253).is_ok());
        assert!(check_label("the container", "a.b").is_err());
    }
}
