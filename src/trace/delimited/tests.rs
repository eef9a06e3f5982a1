use super::*;
use crate::trace::testing::Kept;
use crate::trace::{ReadOptions, Rejects, TableSummary};

const TABLE: TableSpec = TableSpec {
    name: "things",
    columns: &[
        required("time", Kind::Time),
        required("thing_id", Kind::Id),
        optional("kind", Kind::Code),
        optional("size", Kind::Number),
        optional("note", Kind::Category),
    ],
    trailing_optional: 1,
    is_quoted: false,
    delimiter: b',',
};

/// Reads `text` and returns the (time, id, size) of the rows that fit, the summary and what ended it.
#[expect(clippy::type_complexity, reason = "a triple of a test")]
fn rows(text: &str) -> (Vec<(Option<i64>, Option<i64>, Option<f64>)>, TableSummary, Result<(), TraceError>) {
    let mut kept = Kept::default();
    let mut summary = TableSummary::default();
    let (rejects, options) = (Rejects::in_memory(), ReadOptions::default());
    let mut seen = Vec::new();
    let mut context = Context {
        file: "things.csv",
        ordinal: 0,
        options: &options,
        sink: &mut kept,
        rejects: &rejects,
        summary: &mut summary,
        piece: None,
    };
    let outcome = read(&TABLE, &mut text.as_bytes(), &mut context, &mut |row, _context| {
        seen.push((row.time(0), row.integer(1), row.number(3)));
        Ok(Outcome::Kept)
    });
    (seen, summary, outcome)
}

#[test]
fn headerless_rows_may_lack_trailing_columns_but_no_more() {
    let (seen, summary, _) = rows("1,2,3,0.5\n1,2,3\n1,2,3,0.5,x,y\n\n4,5,,,x");
    assert_eq!(seen, [(Some(1), Some(2), Some(0.5)), (Some(4), Some(5), None)]);
    assert_eq!((summary.rows, summary.kept, summary.rejected["wrong number of fields"]), (4, 2, 2));
    assert!(summary.ends_without_newline);
    assert_eq!((summary.columns["size"].empty, summary.columns["note"].empty), (1, 1));
}

#[test]
fn header_gives_the_order_and_the_length_of_rows() {
    let (seen, summary, _) = rows("size,other,THING_ID,# time\n0.25,x,7,1.0\n0.25,x,7\n");
    assert_eq!(seen, [(Some(1), Some(7), Some(0.25))]);
    assert_eq!(summary.rejected["wrong number of fields"], 1);
    assert!(!summary.columns.contains_key("kind"), "a column that the file lacks has no summary");
    let (_, _, outcome) = rows("size,time,kind\n0.25,1,2\n");
    assert_eq!(
        outcome.expect_err("no id").to_string(),
        "`things.csv`: the header has no column `thing_id` (table `things`)"
    );
}

#[test]
fn bad_cells_are_rejected_by_reason() {
    let (seen, summary, outcome) =
        rows("1,2,0,nan\n1,2,0,inf\n1,2,0,12abc\n1,,0,1\nx,2,0,1\n1,2,0.5,1\n1,2,99999999999999999999,1\n");
    assert!(outcome.is_ok());
    assert_eq!(seen, []);
    let reasons: Vec<_> = summary.rejected.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(
        reasons,
        [
            ("integer is out of range", 1),
            ("mandatory cell is empty", 1),
            ("not a number", 2),
            ("not an integer", 1),
            ("number is not finite", 2)
        ]
    );
}

#[test]
fn end_of_time_is_known_in_every_notation_and_other_lossy_times_are_refused() {
    let text = "9223372036854775807,1,,1\n9223372036854775808,1,,1\n9.223372036854776E18,1,,1\n\
                9.223372036854776e+18,1,,1\n9223372036854775808.0,1,,1\n";
    let (seen, _, outcome) = rows(text);
    assert!(outcome.is_ok());
    assert_eq!(seen, vec![(None, Some(1), Some(1.0)); 5]);
    for (text, column) in
        [("9.22337E+18,1,,1\n", "time"), ("2.748E+11,1,,1\n", "time"), ("1,1.68846E+11,,1\n", "thing_id")]
    {
        let (_, _, outcome) = rows(text);
        let Err(TraceError::Refused(refusal)) = outcome else { panic!("{text} should be refused") };
        assert_eq!((refusal.row, refusal.column.as_str()), (1, column));
        assert_eq!(refusal.hint, "the file went through a spreadsheet; export it again from its source");
    }
    let (_, _, outcome) = rows("9223372036854775900000,1,,1\n");
    assert!(outcome.expect_err("refused").to_string().contains("a time does not fit 64 bits"));
    let (seen, _, _) = rows("370539600000.0,168846000000.0,3.0,1\n");
    assert_eq!(seen, [(Some(370_539_600_000), Some(168_846_000_000), Some(1.0))]);
}

#[test]
fn blank_header_cells_are_the_columns_of_their_places() {
    let (seen, summary, outcome) = rows("time,,kind,,note\n1,2,3,0.5,x\n");
    assert!(outcome.is_ok());
    assert_eq!(seen, [(Some(1), Some(2), Some(0.5))]);
    assert_eq!(summary.columns["size"].numbers, 1);
    // In another order a blank cell could be anything.
    let (_, _, outcome) = rows("kind,,time,size,note\n1,2,3,0.5,x\n");
    assert!(outcome.is_err());
}

#[test]
fn codes_are_counted_by_their_number_however_they_are_written() {
    let (_, summary, _) = rows("1,2,3.0,1\n1,2,3,1\n1,2,03,1\n1,2,,1,\n");
    assert_eq!(summary.columns["kind"].counts.iter().collect::<Vec<_>>(), [(&"3".to_owned(), &3)]);
    assert_eq!((summary.columns["kind"].empty, summary.columns["kind"].numbers), (1, 3));
}
