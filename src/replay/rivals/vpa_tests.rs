use super::*;

const GIB: f64 = 1_073_741_824.0;
const MIB: f64 = 1_048_576.0;
const HOUR: f64 = 3600.0;
const MARGIN: f64 = 0.15;

fn millicores(cores: f64) -> f64 {
    (cores * 1000.0).round()
}

fn memory_target(container: &VpaContainer) -> f64 {
    container.memory_target(MARGIN, true)
}

/// One sample a minute: (count, value) one after another.
fn minutes(runs: &[(u32, f64)]) -> VpaContainer {
    let mut container = VpaContainer::new();
    let mut minute = 0;
    for (count, value) in runs {
        for _ in 0..*count {
            container.add_cpu(f64::from(minute) * 60.0, *value);
            minute += 1;
        }
    }
    container
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} instead of {expected}");
}

#[test]
fn one_cpu_sample_gives_the_published_target() {
    let target = |value, floors| {
        let mut container = VpaContainer::new();
        container.add_cpu(0.0, value);
        millicores(container.cpu_target(MARGIN, floors))
    };
    let expected =
        [(0.05, 63.0), (0.1, 126.0), (0.5, 587.0), (1.0, 1168.0), (2.0, 2406.0), (4.0, 4742.0), (16.0, 19265.0)];
    for (value, millicores) in expected {
        assert_eq!(target(value, true), millicores, "{value} cores");
    }
    assert_eq!((target(0.001, true), target(0.001, false)), (25.0, 11.0));
    assert_eq!(target(5000.0, true), 1_174_275.0);
}

#[test]
fn one_memory_sample_gives_the_published_target() {
    let target = |value, floors| {
        let mut container = VpaContainer::new();
        container.add_memory(0.0, value);
        container.memory_target(MARGIN, floors)
    };
    near(target(1e8, true), 262_144_000.0, 2.0);
    near(target(1e8, false), 126_805_489.0, 2.0);
    near(target(268_435_456.0, true), 323_522_422.0, 2.0);
    near(target(1e9, true), 1_168_723_596.0, 2.0);
    near(target(GIB, true), 1_238_659_775.0, 2.0);
    near(target(4.0 * GIB, true), 4_992_073_454.0, 2.0);
    near(target(16.0 * GIB, true), 20_241_202_316.0, 2.0);
}

#[test]
fn a_single_sample_leaves_the_bounds_open() {
    let mut container = minutes(&[(1, 1.0)]);
    container.add_memory(0.0, GIB);
    // 1e14 millicores: shown in cores here.
    assert_eq!(container.cpu_bounds(MARGIN), VpaBounds { lower: 0.025, upper: 1e11 });
    assert_eq!(container.memory_bounds(MARGIN), VpaBounds { lower: 262_144_000.0, upper: 1e14 });
    assert_eq!(millicores(container.cpu_target(MARGIN, true)), 1168.0);
}

#[test]
fn an_hour_of_minutes_gives_the_published_percentiles() {
    let burst = minutes(&[(53, 0.1), (7, 1.0)]);
    near(burst.cpu.percentile(0.5), 0.110_266, 1e-6);
    near(burst.cpu.percentile(0.9), 1.016_281, 1e-6);
    near(burst.cpu.percentile(0.95), 1.016_281, 1e-6);
    assert_eq!(millicores(burst.cpu_target(MARGIN, true)), 1168.0);
    let bounds = burst.cpu_bounds(MARGIN);
    assert_eq!((millicores(bounds.lower), millicores(bounds.upper)), (120.0, 29675.0));

    near(minutes(&[(54, 0.1), (6, 1.0)]).cpu.percentile(0.9), 1.016_281, 1e-6);
    let below = minutes(&[(55, 0.1), (5, 1.0)]);
    near(below.cpu.percentile(0.9), 0.110_266, 1e-6);
    near(below.cpu.percentile(0.95), 1.016_281, 1e-6);
    assert_eq!(millicores(below.cpu_target(MARGIN, true)), 126.0);
    near(minutes(&[(6, 1.0), (54, 0.1)]).cpu.percentile(0.9), 0.110_266, 1e-6);
    let rare = minutes(&[(58, 0.1), (2, 1.0)]);
    near(rare.cpu.percentile(0.95), 0.110_266, 1e-6);
    assert_eq!(millicores(rare.cpu_target(MARGIN, true)), 126.0);
    assert_eq!(millicores(rare.cpu_bounds(MARGIN).upper), 3201.0);
}

#[test]
fn confidence_widens_the_bounds_as_published() {
    let factors = |span_minutes: f64, samples: f64| {
        let container = VpaContainer {
            first_cpu: Some(0.0),
            last_cpu: Some(span_minutes * 60.0),
            cpu_samples: samples,
            ..VpaContainer::new()
        };
        (container.upper_factor(), container.lower_factor())
    };
    let expected = [
        (1.0, 2.0, 1441.0, 0.1680),
        (5.0, 6.0, 289.0, 0.6028),
        (30.0, 31.0, 49.0, 0.9105),
        (60.0, 61.0, 25.0, 0.9537),
        (720.0, 721.0, 3.0, 0.9960),
        (1440.0, 1441.0, 2.0, 0.9980),
        (10080.0, 10081.0, 1.1429, 0.9997),
        (1440.0, 720.0, 3.0, 0.9960),
    ];
    for (span, samples, upper, lower) in expected {
        let found = factors(span, samples);
        near(found.0, upper, 1e-4 * upper);
        near(found.1, lower, 6e-5);
    }
    near(1.0 / (factors(16.0, 9.0).0 - 1.0), 0.00625, 1e-9);
}

/// Share of the last period's minutes at which the target is lifted by a burst of `burst` minutes per period.
fn lifted(period: u32, periods: u32, burst: u32) -> f64 {
    let mut container = VpaContainer::new();
    let mut high = 0;
    for minute in 0..period * periods {
        // The burst ends the period.
        let value = if minute % period >= period - burst { 1.0 } else { 0.1 };
        container.add_cpu(f64::from(minute) * 60.0, value);
        if minute >= period * (periods - 1) && container.cpu.percentile(TARGET_PERCENTILE) > 0.5 {
            high += 1;
        }
    }
    f64::from(high) / f64::from(period)
}

#[test]
fn a_daily_burst_lifts_the_target_from_107_minutes_on() {
    assert_eq!(lifted(1440, 20, 106), 0.0);
    near(lifted(1440, 20, 107), 0.006, 0.002);
    near(lifted(1440, 20, 150), 0.54, 0.01);
    near(lifted(1440, 20, 198), 0.999, 0.001);
    assert_eq!(lifted(1440, 20, 199), 1.0);
}

#[test]
fn a_weekly_burst_lifts_the_target_from_218_minutes_on() {
    assert_eq!(lifted(10080, 4, 217), 0.0);
    near(lifted(10080, 4, 218), 0.0009, 0.0003);
}

#[test]
fn the_largest_use_of_a_day_is_one_entry() {
    let mut container = VpaContainer::new();
    for (hour, size) in [(0.0, 1.0), (1.0, 2.0), (2.0, 1.5)] {
        container.add_memory(hour * HOUR, size * GIB);
    }
    assert_eq!((container.memory.entries(), container.window_end), (1, Some(24.0 * HOUR)));
    near(container.memory.percentile(0.9), 2_208_153_955.0, 2.0);
    near(memory_target(&container), 2_539_377_048.0, 2.0);
}

#[test]
fn windows_are_whole_days_after_the_first_sample() {
    for (second, end) in [(24.0, 48.0), (60.0, 72.0)] {
        let mut container = VpaContainer::new();
        container.add_memory(0.0, GIB);
        assert_eq!(container.window_end, Some(24.0 * HOUR));
        container.add_memory(second * HOUR, GIB);
        assert_eq!(container.window_end, Some(end * HOUR));
        // Stamped at the ends of their windows; the reference is the end of the first.
        near(container.memory.total(), 1.0 + ((end - 24.0) / 24.0_f64).exp2(), 1e-9);
    }
}

#[test]
fn an_empty_first_sample_hides_the_rest_of_its_day() {
    let mut container = VpaContainer::new();
    container.add_memory(0.0, 0.0);
    container.add_memory(HOUR, GIB);
    assert_eq!(memory_target(&container), 262_144_000.0);
}

#[test]
fn an_older_sample_is_dropped() {
    let mut container = VpaContainer::new();
    container.add_memory(0.0, GIB);
    container.add_memory(HOUR, GIB);
    container.add_memory(0.5 * HOUR, 4.0 * GIB);
    near(memory_target(&container), 1_238_659_775.0, 2.0);
}

#[test]
fn an_oom_kill_raises_what_was_used() {
    let mut container = VpaContainer::new();
    container.add_memory(0.0, 0.9 * GIB);
    container.add_oom_kill(HOUR, GIB);
    near(container.oom_peak, 1_288_490_188.0, 0.0);
    assert_eq!(container.memory.entries(), 1);
    near(memory_target(&container), 1_555_165_137.0, 2.0);
    // A second one under the same request adds nothing.
    container.add_oom_kill(2.0 * HOUR, GIB);
    near(container.oom_peak, 1_288_490_188.0, 0.0);
    assert_eq!(container.memory.entries(), 1);
}

#[test]
fn below_five_hundred_mebibytes_the_fixed_step_wins() {
    let mut container = VpaContainer::new();
    container.add_oom_kill(0.0, 200.0 * MIB);
    near(container.oom_peak, 314_572_800.0, 0.0);
    near(memory_target(&container), 380_258_472.0, 2.0);

    let mut above_request = VpaContainer::new();
    above_request.add_memory(0.0, 300.0 * MIB);
    above_request.add_oom_kill(HOUR, 256.0 * MIB);
    near(above_request.oom_peak, 419_430_400.0, 0.0);
}

#[test]
fn an_oom_kill_of_the_day_before_is_dropped() {
    let mut container = VpaContainer::new();
    container.add_memory(48.0 * HOUR, GIB);
    container.add_oom_kill(12.0 * HOUR, 4.0 * GIB);
    near(memory_target(&container), 1_238_659_775.0, 2.0);
}

#[test]
fn without_samples_four_kills_lead_from_a_quarter_to_a_whole_gibibyte() {
    let mut container = VpaContainer::new();
    let mut request = 256.0 * MIB;
    let mut requests = Vec::new();
    while request < GIB {
        container.add_oom_kill(60.0 * (requests.len() as f64), request);
        request = memory_target(&container);
        requests.push(request);
    }
    let expected = [442_809_964.0, 671_629_701.0, 978_270_031.0, 1_389_197_403.0];
    assert_eq!(requests.len(), expected.len());
    for (found, expected) in requests.into_iter().zip(expected) {
        near(found, expected, 2.0);
    }
}
