//! Tables for people: text to the left, numbers to the right, no frames, a width that is the terminal's or fixed.

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, TableStyle};

use super::text;

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table; its cells may hold text of a trace, which cannot leave its cell.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns an empty table with these columns; units stand in the header.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        Self { columns: columns.into_iter().map(|(name, align)| (name.to_owned(), align)).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Returns whether there is no row.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the lines, each ended. A cell without a value is shown as `-`.
    pub(super) fn render(&self, width: u16, has_color: bool) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('-')));
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        let align = |align: Align| if align == Align::Right { CellAlignment::Right } else { CellAlignment::Left };
        table.set_header(
            self.columns.iter().map(|(name, side)| Cell::new(text::safe_line(name)).set_alignment(align(*side))),
        );
        for row in &self.rows {
            table.add_row(self.columns.iter().enumerate().map(|(position, (_, side))| {
                let content = row.get(position).map_or("", String::as_str);
                let content = if content.is_empty() { "-".into() } else { text::safe_line(content) };
                Cell::new(content).set_alignment(align(*side))
            }));
        }
        for (position, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, if position + 1 < self.columns.len() { 2 } else { 0 }));
        }
        let mut lines = String::new();
        let mut is_header = has_color;
        for line in table.lines() {
            let line = line.trim_end();
            is_header &= !line.chars().all(|c| c == '-' || c == ' ');
            if is_header {
                lines.push_str(&text::bold(line));
            } else {
                lines.push_str(line);
            }
            lines.push('\n');
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_controls_are_escaped() {
        let mut table = Table::new([("workload", Align::Left), ("memory MiB", Align::Right)]);
        table.row(["checkout", "384"]);
        table.row(["evil\u{1b}[2J\n", ""]);
        let expected = "\
workload         memory MiB
---------------------------
checkout                384
evil\\u{1b}[2J\\n           -
";
        assert_eq!(table.render(100, false), expected);
    }

    #[test]
    fn a_narrow_table_wraps_instead_of_growing() {
        let mut table = Table::new([("workload", Align::Left), ("why", Align::Left)]);
        table.row(["a", "one two three four five six seven eight nine ten"]);
        let rendered = table.render(30, false);
        assert!(rendered.lines().all(|line| line.chars().count() <= 30), "{rendered}");
    }
}
