//! Which format and table a file is: names first, then the header, then the pattern of the cells.

use super::{Confidence, Format, Head, TableName, TraceError, formats};

/// Recognises a table. When two formats claim it equally surely, the user has to say which.
///
/// # Errors
/// [`TraceError::Unrecognised`] when no format fits or several do.
pub fn detect(
    head: &Head<'_>,
    wanted: Option<&'static dyn Format>,
) -> Result<(&'static dyn Format, TableName), TraceError> {
    let unrecognised = |what: String| TraceError::Unrecognised { file: head.path.to_owned(), what };
    if head.bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(unrecognised("the file is empty".to_owned()));
    }
    let mut claims: Vec<(Confidence, &'static dyn Format, &'static str)> = Vec::new();
    for format in wanted.map_or_else(|| formats().to_vec(), |format| vec![format]) {
        if let Some((table, confidence)) = format.detect(head) {
            claims.push((confidence, format, table));
        }
    }
    let Some(best) = claims.iter().map(|claim| claim.0).max() else {
        let first =
            String::from_utf8_lossy(head.bytes).lines().next().unwrap_or_default().chars().take(80).collect::<String>();
        let formats = wanted.map_or_else(|| formats().to_vec(), |format| vec![format]);
        let why = formats
            .into_iter()
            .find_map(|format| format.mismatch(head))
            .map_or_else(String::new, |why| format!("; {why}"));
        return Err(unrecognised(match wanted {
            Some(format) => format!("it is no table of `{}`; it begins `{first}`{why}", format.name()),
            None => format!("no format fits; it begins `{first}`{why}"),
        }));
    };
    let surest: Vec<_> = claims.iter().filter(|claim| claim.0 == best).collect();
    match surest.as_slice() {
        [(_, format, table)] => Ok((*format, TableName { format: format.name(), table })),
        several => {
            let names: Vec<&str> = several.iter().map(|claim| claim.1.name()).collect();
            Err(unrecognised(format!("it could be `{}`", names.join("` or `"))))
        }
    }
}

/// Returns the cells of the first line of `head`, split at `delimiter`, without quotes, byte-order mark and `#`.
pub fn first_cells(head: &Head<'_>, delimiter: char) -> Vec<String> {
    let text = String::from_utf8_lossy(head.bytes);
    let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    line.trim_start_matches('#').split(delimiter).map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
}
