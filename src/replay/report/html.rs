//! Pieces of HTML. Every text that comes from outside goes through [`escape`], here and nowhere else.

use std::fmt::Write;

pub(super) use crate::markup::escape;

/// One cell of a table, as text.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// Words, on the left.
    Words(String),
    /// Many words: a column that stays wide on a narrow screen.
    Long(String),
    /// A number with its unit, on the right.
    Number(String),
    /// A number with a bar of a length from 0 to 1.
    Bar(String, f64),
    /// Words that call for attention (`true`) or give the all-clear.
    Verdict(String, bool),
    /// A heading over the rows below it, alone in its row.
    Heading(String),
}

/// Returns words.
pub(super) fn words(text: impl Into<String>) -> Cell {
    Cell::Words(text.into())
}

/// Returns a number.
pub(super) fn number(text: impl Into<String>) -> Cell {
    Cell::Number(text.into())
}

/// Returns a table inside a box that scrolls where the screen is narrow. Headers of columns whose cells are numbers stand
/// on the right.
pub(super) fn table(caption: &str, header: &[&str], rows: &[Vec<Cell>]) -> String {
    let is_number = |column: usize| {
        let first = rows.iter().find(|row| row.len() == header.len());
        first.and_then(|row| row.get(column)).is_some_and(|cell| matches!(cell, Cell::Number(_) | Cell::Bar(..)))
    };
    let mut html = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table><caption><span>{0}</span></caption>\n<thead><tr>",
        escape(caption)
    );
    for (column, name) in header.iter().enumerate() {
        let class = if is_number(column) { " class=\"n\"" } else { "" };
        put(&mut html, format_args!("<th scope=\"col\"{class}>{}</th>", escape(name)));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            match cell {
                Cell::Words(text) if column == 0 => {
                    put(&mut html, format_args!("<th scope=\"row\"><bdi>{}</bdi></th>", escape(text)));
                }
                Cell::Heading(text) => put(
                    &mut html,
                    format_args!(
                        "<th class=\"part\" scope=\"rowgroup\" colspan=\"{}\">{}</th>",
                        header.len(),
                        escape(text)
                    ),
                ),
                Cell::Long(text) => put(&mut html, format_args!("<td class=\"long\"><bdi>{}</bdi></td>", escape(text))),
                Cell::Words(text) => put(&mut html, format_args!("<td><bdi>{}</bdi></td>", escape(text))),
                Cell::Number(text) => put(&mut html, format_args!("<td class=\"n\">{}</td>", escape(text))),
                Cell::Bar(text, share) => put(
                    &mut html,
                    format_args!(
                        "<td class=\"n\"><span class=\"bar\" style=\"--w:{:.2}\"></span>{}</td>",
                        share.clamp(0.0, 1.0),
                        escape(text)
                    ),
                ),
                Cell::Verdict(text, is_bad) => put(
                    &mut html,
                    format_args!("<td class=\"{}\">{}</td>", if *is_bad { "bad" } else { "good" }, escape(text)),
                ),
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

/// Returns something that opens on a click.
pub(super) fn details(summary: &str, inside: &str) -> String {
    format!("<details><summary>{}</summary>\n{inside}</details>\n", escape(summary))
}

/// Returns a paragraph.
pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// Returns a list of sentences; nothing for none.
pub(super) fn list(items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().fold(String::new(), |mut all, item| {
        put(&mut all, format_args!("<li>{}</li>\n", escape(item)));
        all
    });
    format!("<ul>\n{items}</ul>\n")
}

/// Appends formatted text.
pub(super) fn put(html: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes everything that is written to it; what a value refuses to print is left out.
    html.write_fmt(text).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        let nasty = "</td><script>alert('x')</script>&\"\u{1b}[31m\u{202e}é";
        let rows = [vec![
            words(nasty),
            number(nasty),
            Cell::Bar(nasty.to_owned(), 0.5),
            Cell::Verdict(nasty.to_owned(), true),
            Cell::Long(nasty.to_owned()),
            Cell::Heading(nasty.to_owned()),
        ]];
        let html =
            table(nasty, &[nasty, nasty], &rows) + &details(nasty, "") + &paragraph(nasty) + &list(&[nasty.to_owned()]);
        assert!(!html.contains("<script") && !html.contains('\u{1b}') && !html.contains('\u{202e}'), "{html}");
    }
}
