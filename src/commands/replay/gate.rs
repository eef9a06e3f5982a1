//! What became of the conditions of `--gate`: a line each, and an error that a pipeline notices.

use crate::error::{CommandError, Outcome};
use crate::replay::Verdict;
use crate::ui::{Ui, human};

pub(super) fn pass(ui: &Ui, verdicts: &[Verdict]) -> Result<Outcome, CommandError> {
    for verdict in verdicts {
        ui.say(&line(verdict));
    }
    let failed: Vec<&str> =
        verdicts.iter().filter(|verdict| !verdict.holds).map(|verdict| verdict.condition.as_str()).collect();
    if failed.is_empty() {
        return Ok(Outcome::Done);
    }
    let of = human::counted(verdicts.len() as u64, "condition", "conditions");
    Err(CommandError::abstained(format!(
        "the gate failed: {} of {of} not met: `{}`",
        failed.len(),
        failed.join("`, `")
    )))
}

fn line(verdict: &Verdict) -> String {
    let result = if verdict.holds { "pass" } else { "fail" };
    match &verdict.reached {
        Ok(reached) => format!("gate {result}: `{}`, reached {}", verdict.condition, number(*reached)),
        Err(why) => format!("gate {result}: `{}`, there is no such figure: {why}", verdict.condition),
    }
}

/// Returns a number with enough digits to see why it passed: at most six places, none that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_decides() {
        assert_eq!([0.949_9, 1.0, 0.0, 12.5, 100.0].map(number), ["0.9499", "1", "0", "12.5", "100"]);
    }
}
