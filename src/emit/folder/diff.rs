//! What a review would change, as a unified diff that `git apply` and `patch -p1` take.

use similar::TextDiff;

use super::review::Review;

/// Unchanged lines around each change, as `diff -u` shows.
const CONTEXT: usize = 3;

impl Review {
    /// Returns the differences of all files in their order; nothing where all sizes are written already.
    pub fn diff(&self) -> String {
        let mut out = String::new();
        for file in self.files.iter().filter(|file| file.before != file.after) {
            let diff = TextDiff::from_lines(&file.before, &file.after);
            let [before, after] = ["a", "b"].map(|side| quoted(&format!("{side}/{}", file.path)));
            out += &diff.unified_diff().context_radius(CONTEXT).header(&before, &after).to_string();
        }
        out
    }
}

/// Returns a path as git writes it: in quotes where a reader would not find its end.
fn quoted(path: &str) -> String {
    if !path.chars().any(|c| c.is_control() || matches!(c, '"' | '\\')) {
        return path.to_owned();
    }
    let mut out = String::from("\"");
    for c in path.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                out.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\{byte:03o}")));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn no_path_can_leave_its_line() {
        assert_eq!(quoted("a/shop/web.yaml"), "a/shop/web.yaml");
        assert_eq!(quoted("a/x\n+++ b/\"y\"\\"), r#""a/x\012+++ b/\"y\"\\""#);
    }
}
