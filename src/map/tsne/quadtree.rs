//! Repulsion between all points, by Barnes and Hut's tree: far cells count as one point at their centre of mass.
//!
//! The tree is built anew for each step over points sorted along Morton's curve. Eight points that follow each other on
//! the curve walk it together: the walk is paid once, and the sums over eight places run in vector registers. A cell is
//! opened when it is near to the box around the eight, so the sums are at least as exact as those of a walk alone.

use rayon::prelude::*;

/// Points that walk together.
const LANES: usize = 8;

/// Cells with at most this many points are not split: comparing with each of them is cheaper than the walk.
const LEAF: usize = 8;

/// Levels of the tree: places are told apart to 2^-16 of the map's side.
const LEVELS: u32 = 16;

/// Groups of [`LANES`] points that a thread walks at least before it looks for other work.
const LEAST_GROUPS: usize = 16;

/// What pushes the points apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Repulsion {
    /// For each point the sum over all others of q² (y - y'), where q = 1 / (1 + |y - y'|²).
    pub(super) forces: Vec<[f32; 2]>,
    /// The sum of q over all ordered pairs.
    pub(super) sum: f64,
}

/// A cell; those inside it follow it.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    centre: [f32; 2],
    /// Points inside.
    mass: f32,
    /// Square of its side over the angle: beyond this squared distance it counts as one point.
    opened_within: f32,
    /// The cell after all those inside this one.
    next: u32,
    /// Points of a leaf, in the order of the curve; none for other cells.
    from: u32,
    to: u32,
}

/// What eight points feel.
#[derive(Debug, Clone, Copy, Default)]
struct Felt {
    forces: [Lanes; 2],
    sum: f64,
}

/// A tree, whose room is kept from step to step.
#[derive(Debug, Default)]
pub(super) struct Quadtree {
    /// Place on the curve and number of each point, sorted.
    order: Vec<u64>,
    /// Places in that order.
    places: Vec<[f32; 2]>,
    cells: Vec<Cell>,
    felt: Vec<Felt>,
}

impl Quadtree {
    /// Sums what pushes each of `points` away. Places are finite.
    pub(super) fn repulsion(&mut self, points: &[[f32; 2]], angle: f32, into: &mut Repulsion) {
        let side = self.sort(points);
        self.cells.clear();
        self.grow(0, points.len(), 0, side / angle);
        let (cells, places) = (&self.cells, &self.places);
        places
            .par_chunks(LANES)
            .with_min_len(LEAST_GROUPS)
            .map(|group| walk(cells, places, group))
            .collect_into_vec(&mut self.felt);
        into.forces.resize(points.len(), [0.0; 2]);
        for (group, felt) in self.order.chunks(LANES).zip(&self.felt) {
            for (lane, &entry) in group.iter().enumerate() {
                into.forces[number(entry)] = [felt.forces[0][lane], felt.forces[1][lane]];
            }
        }
        // Every point met itself, with q = 1 and no force.
        into.sum = self.felt.iter().map(|felt| felt.sum).sum::<f64>() - points.len() as f64;
    }

    /// Sorts the points along the curve and returns the side of the square around them.
    fn sort(&mut self, points: &[[f32; 2]]) -> f32 {
        let mut low = [f32::INFINITY; 2];
        let mut high = [f32::NEG_INFINITY; 2];
        for point in points {
            for axis in 0..2 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let side = (high[0] - low[0]).max(high[1] - low[1]).max(f32::MIN_POSITIVE);
        let cells = f64::from(1_u32 << LEVELS);
        let scale = cells / f64::from(side);
        let cell_of = |place: f32, low: f32| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of the levels")]
            let cell = (f64::from(place - low) * scale).clamp(0.0, cells - 1.0) as u64;
            cell
        };
        self.order.clear();
        self.order.extend((0_u64..).zip(points).map(|(number, point)| {
            let code = spread(cell_of(point[0], low[0])) << 1 | spread(cell_of(point[1], low[1]));
            code << 32 | number
        }));
        self.order.par_sort_unstable();
        self.places.clear();
        self.places.extend(self.order.iter().map(|&entry| points[number(entry)]));
        side
    }

    /// Appends the cell of the points from `from` to `to`, which share the first `level` levels, with all cells inside.
    /// `reach` is its side over the angle.
    fn grow(&mut self, from: usize, to: usize, mut level: u32, mut reach: f32) {
        let quadrant = |entry: u64, level: u32| entry >> (32 + 2 * (LEVELS - 1 - level)) & 3;
        let (first, last) = (self.order[from], self.order[to - 1]);
        // A cell whose points all lie in one quarter is that quarter.
        while level < LEVELS && quadrant(first, level) == quadrant(last, level) {
            level += 1;
            reach *= 0.5;
        }
        let at = self.cells.len();
        let mut cell = Cell { opened_within: reach * reach, mass: (to - from) as f32, ..Cell::default() };
        self.cells.push(cell);
        let mut centre = [0.0_f64; 2];
        if to - from <= LEAF || level == LEVELS {
            (cell.from, cell.to) = (short(from), short(to));
            for place in &self.places[from..to] {
                centre[0] += f64::from(place[0]);
                centre[1] += f64::from(place[1]);
            }
        } else {
            let mut begin = from;
            for quarter in 0..4 {
                let inside = self.order[begin..to].partition_point(|&entry| quadrant(entry, level) <= quarter);
                if inside > 0 {
                    let child = self.cells.len();
                    self.grow(begin, begin + inside, level + 1, reach * 0.5);
                    let child = self.cells[child];
                    centre[0] += f64::from(child.centre[0]) * f64::from(child.mass);
                    centre[1] += f64::from(child.centre[1]) * f64::from(child.mass);
                }
                begin += inside;
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "a mean of such places")]
        let mean = centre.map(|sum| (sum / f64::from(cell.mass)) as f32);
        cell.centre = mean;
        cell.next = short(self.cells.len());
        self.cells[at] = cell;
    }
}

/// Returns the number of a point out of its entry in the order.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn number(entry: u64) -> usize {
    entry as u32 as usize
}

/// Maps are made of far fewer points than this holds.
fn short(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// Returns the low 16 bits with a 0 between each two.
const fn spread(bits: u64) -> u64 {
    let mut bits = bits & 0xffff;
    bits = (bits | bits << 8) & 0x00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333;
    (bits | bits << 1) & 0x5555_5555
}

/// Cells and points that are met before their sums are made: as many as stay in the nearest cache.
const MET: usize = 256;

/// One number for each of the points that walk together.
type Lanes = [f32; LANES];

/// Points that walk together, what they met and have not yet felt, and what they felt.
struct Group {
    x: Lanes,
    y: Lanes,
    /// Place and number of points of each that was met.
    met: [[f32; 3]; MET],
    count: usize,
    forces: [Lanes; 2],
    sums: Lanes,
}

impl Group {
    fn meet(&mut self, [x, y]: [f32; 2], mass: f32) {
        if self.count == MET {
            self.feel();
        }
        self.met[self.count] = [x, y, mass];
        self.count += 1;
    }

    /// Adds what has been met to the sums. Loops over lanes stand innermost and hold one operation each: the compiler makes
    /// vector instructions of them.
    fn feel(&mut self) {
        let (own_x, own_y) = (self.x, self.y);
        let (mut force_x, mut force_y, mut sums) = (self.forces[0], self.forces[1], self.sums);
        for &[x, y, mass] in &self.met[..self.count] {
            let dx = own_x.map(|own| own - x);
            let dy = own_y.map(|own| own - y);
            let mut q = [0.0; LANES];
            for lane in 0..LANES {
                q[lane] = 1.0 / (1.0 + dx[lane] * dx[lane] + dy[lane] * dy[lane]);
            }
            for lane in 0..LANES {
                sums[lane] += mass * q[lane];
            }
            for lane in 0..LANES {
                force_x[lane] += mass * q[lane] * q[lane] * dx[lane];
            }
            for lane in 0..LANES {
                force_y[lane] += mass * q[lane] * q[lane] * dy[lane];
            }
        }
        (self.forces, self.sums, self.count) = ([force_x, force_y], sums, 0);
    }
}

/// Walks the tree with up to [`LANES`] points.
fn walk(cells: &[Cell], places: &[[f32; 2]], points: &[[f32; 2]]) -> Felt {
    let Some(&last) = points.last() else { return Felt::default() };
    let zero = [0.0; LANES];
    let mut group = Group {
        x: [last[0]; LANES],
        y: [last[1]; LANES],
        met: [[0.0; 3]; MET],
        count: 0,
        forces: [zero; 2],
        sums: zero,
    };
    let (mut low, mut high) = (last, last);
    for (lane, place) in points.iter().enumerate() {
        (group.x[lane], group.y[lane]) = (place[0], place[1]);
        for axis in 0..2 {
            low[axis] = low[axis].min(place[axis]);
            high[axis] = high[axis].max(place[axis]);
        }
    }
    let middle = [f32::midpoint(low[0], high[0]), f32::midpoint(low[1], high[1])];
    let half = [high[0] - middle[0], high[1] - middle[1]];
    let mut at = 0;
    while let Some(cell) = cells.get(at) {
        let dx = ((cell.centre[0] - middle[0]).abs() - half[0]).max(0.0);
        let dy = ((cell.centre[1] - middle[1]).abs() - half[1]).max(0.0);
        if dx * dx + dy * dy > cell.opened_within {
            group.meet(cell.centre, cell.mass);
            at = cell.next as usize;
        } else if cell.to > cell.from {
            for &place in &places[cell.from as usize..cell.to as usize] {
                group.meet(place, 1.0);
            }
            at = cell.next as usize;
        } else {
            at += 1;
        }
    }
    group.feel();
    Felt { forces: group.forces, sum: group.sums.iter().take(points.len()).map(|&sum| f64::from(sum)).sum() }
}
