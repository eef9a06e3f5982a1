//! The page as a whole: what stands in it, and what must not.

use super::*;
use crate::profile::Window;
use crate::replay::test_cases::{Fake, WINDOW, case};
use crate::replay::{Case, ReplayParams, Unwatched, replay, seconds_observed};
use crate::trace::{CpuUnit, MemoryUnit, NetworkUnit, UnitContract};
use crate::units::Micros;

const NASTY: &str = "</td><script>alert('x')</script>&\"<img src=x onerror=y>\u{1b}[31m\u{202e}";
const GIB: f64 = 1_073_741_824.0;

/// Thirty applications of different sizes and two classes, some of them with names that mean harm.
fn cases() -> Vec<Case> {
    (0..120_i64)
        .map(|at| {
            let application = at % 30;
            let peak = GIB * (1.0 + (application % 7) as f64 + (at % 11) as f64 / 10.0);
            let seconds = if at % 2 == 0 { 60 } else { 4000 };
            let mut case =
                case(&format!("w{at} {NASTY}"), &format!("app{application} {NASTY}"), at * 100, seconds, peak);
            case.known.workload.class = Some(format!("c{} {NASTY}", at % 2));
            case
        })
        .collect()
}

fn params(split: Split) -> ReplayParams {
    let units = UnitContract { cpu: CpuUnit::Cores, memory: MemoryUnit::Bytes, network: NetworkUnit::None };
    ReplayParams { random_draws: 2, resamples: 50, ..ReplayParams::new(WINDOW, split, units) }
}

fn report(split: Split) -> ReplayReport {
    let params = params(split);
    let mut report = replay(&cases(), &params, &Fake).unwrap();
    let windows = [10, 20].map(|seconds| Window { length: Micros::from_seconds(seconds) });
    report.seconds_observed = Some(seconds_observed(cases(), &windows, &params, &Fake, &Unwatched).unwrap());
    report
}

fn provenance() -> Provenance {
    Provenance {
        version: "1.2.3".to_owned(),
        units: "cores and bytes".to_owned(),
        machine: "not stated".to_owned(),
        sources: vec![SourceFile { name: NASTY.to_owned(), digest: "00ff".to_owned() }],
    }
}

/// Returns the opening and closing tags that do not fit together.
fn unbalanced(html: &str) -> Vec<String> {
    let (mut open, mut wrong): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag)) {
        if tag.starts_with('!') || tag.ends_with('/') || tag.starts_with("meta") {
            continue;
        }
        match tag.strip_prefix('/') {
            Some(name) if open.last().is_some_and(|last| last == name) => drop(open.pop()),
            Some(name) => wrong.push(format!("</{name}> after {:?}", open.last())),
            None => open.push(tag.split_whitespace().next().unwrap_or_default().to_owned()),
        }
    }
    wrong.extend(open);
    wrong
}

#[test]
fn the_page_has_every_section_with_figures_and_the_numbers_behind_them() {
    let html = page(&report(Split::Recurring), &provenance());
    for section in [
        "How much is wasted at which risk",
        "How soon is the answer good?",
        "How much of the need can be seen so early?",
        "Who pays for not knowing, the small or the large?",
        "Is it sure where it is right?",
        "Whom it helps, and whom it hurts",
        "Does the stated coverage hold?",
        "How close are the answers?",
        "Does the ranking hang on the model of failure?",
        "Compared at the same coverage",
        "Where it was farthest off",
        "How this was measured",
        "What this cannot tell",
        "Where the numbers come from",
    ] {
        assert_eq!(html.matches(&format!("<h2>{section}</h2>")).count(), 1, "{section}");
    }
    assert_eq!(unbalanced(&html), Vec::<String>::new());
    let figures = html.matches("<figure>").count();
    assert!(figures >= 18, "{figures} figures");
    for once_per_figure in ["role=\"img\"", "<desc id=", "<title id="] {
        assert_eq!(html.matches(once_per_figure).count(), figures, "{once_per_figure}");
    }
    assert_eq!(html.matches("class=\"tile\"").count(), 3);
    assert_eq!(html.matches("<h2>Led to the end: slack against days without a kill</h2>").count(), 1);
    assert!(html.contains("This rests on ") && html.contains("shadow-held"));
    assert!(
        html.contains("class c0") && html.contains("memory need quarter 4 (largest)") && html.contains("life 1-24 h")
    );
    assert!(html.contains(">How long did it live?</th>"), "parts stand under what they answer");
    let identifiers: Vec<&str> =
        html.split(" id=\"").skip(1).filter_map(|rest| rest.split_once('"').map(|(id, _)| id)).collect();
    let different: std::collections::BTreeSet<&str> = identifiers.iter().copied().collect();
    assert_eq!(identifiers.len(), different.len(), "an identifier is there twice");
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_names_do_no_harm() {
    let html = page(&report(Split::Recurring), &provenance());
    for forbidden in ["<script", "<img", "<link", "src=\"", "href=", "url(", "@import", "\u{1b}", "\u{202e}"] {
        assert!(!html.contains(forbidden), "`{forbidden}`");
    }
    // The name space of the figures is a name, not an address that is fetched.
    assert_eq!(html.matches("http").count(), html.matches("xmlns=\"http").count() + html.matches("http-equiv").count());
    assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)"), "names are shown as they are");
    assert!(!html.contains("NaN") && !html.contains("inf\""), "undefined numbers are never shown");
}

#[test]
fn the_same_report_gives_the_same_page() {
    assert_eq!(page(&report(Split::Recurring), &provenance()), page(&report(Split::Recurring), &provenance()));
}

#[test]
fn a_leaky_split_stands_below_its_honest_twin() {
    let html = page(&report(Split::Leaky), &provenance());
    let honest = html.find("recurring split").unwrap();
    let leaky = html.find("leaky split").unwrap();
    assert!(honest < leaky && leaky < html.find("How much leaking flatters").unwrap());
    assert_eq!(html.matches("<h1>").count(), 1);
    assert_eq!(unbalanced(&html), Vec::<String>::new());
}

#[test]
fn several_splits_are_shown_side_by_side_and_in_full_below() {
    let params = ReplayParams { also: vec![Split::Unseen, Split::Leaky], feedback: false, ..params(Split::Recurring) };
    let html = page(&replay(&cases(), &params, &Fake).unwrap(), &provenance());
    let side = html.find("<h2>How much hangs on having seen the like?</h2>").unwrap();
    let unseen = html.find("applications that were never seen, after").unwrap();
    assert!(html.find("<h1>").unwrap() < side && side < unseen, "the comparison stands below the first finding");
    assert!(side < html.find("<h2>How much is wasted at which risk</h2>").unwrap());
    // One of the comparison, one per split.
    assert_eq!(html.matches("<figcaption>Memory in GiB, every workload weighs the same").count(), 1 + 3);
    for split in ["unseen", "leaky"] {
        assert!(html.contains(&format!("<summary>Every section for the {split} split</summary>")), "{split}");
        assert!(html.contains(&format!("id=\"{split}-waste-memory-workload-t\"")), "{split}");
    }
    // Intervals of thirty applications are drawn, one per method and split at most.
    assert!(html.contains("id=\"sides-memory-workload-d\">Mean waste by split"));
    assert!(html.contains("; unseen: shadow ") && html.contains("; leaky: shadow "));
    assert_eq!(unbalanced(&html), Vec::<String>::new());
    assert_eq!(html.matches("<h2>How much leaking flatters</h2>").count(), 1);
    assert_eq!(html.matches("<h1>").count(), 1);
    let identifiers: Vec<&str> =
        html.split(" id=\"").skip(1).filter_map(|rest| rest.split_once('"').map(|(id, _)| id)).collect();
    let different: std::collections::BTreeSet<&str> = identifiers.iter().copied().collect();
    assert_eq!(identifiers.len(), different.len(), "an identifier is there twice");
}

#[test]
fn nothing_to_ask_gives_a_page_that_says_so() {
    let report = replay(&cases()[..1], &params(Split::Recurring), &Fake).unwrap();
    let html = page(&report, &provenance());
    assert!(html.contains("No workload could be asked"), "{html}");
    assert_eq!(unbalanced(&html), Vec::<String>::new());
    assert!(!html.contains("<figure>"));
}
