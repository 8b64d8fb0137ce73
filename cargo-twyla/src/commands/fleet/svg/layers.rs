//! Places boxes in columns, so that arrows point to the right if possible, and rarely cross.
//!
//! The method of Sugiyama, Tagawa and Toda: reverse the arrows that close a cycle, assign columns, insert points where arrows pass a
//! column, sort each column by its neighbours, and move boxes towards their neighbours.

use std::collections::{BTreeMap, BTreeSet};

/// The size of a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A point of the picture; for a box, its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The positions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    /// The centres of the boxes.
    pub(super) boxes: Vec<Point>,
    /// The arrows, each as the points where it passes a column.
    pub(super) ways: Vec<Vec<Point>>,
    pub(super) size: Size,
}

/// The gap between columns, and between boxes of a column.
const GAP: Size = Size { width: 64.0, height: 22.0 };
/// The number of rounds of sorting columns and moving boxes.
const ROUNDS: usize = 24;

/// Places boxes with arrows between them.
pub(super) fn place(sizes: &[Size], arrows: &[(usize, usize)]) -> Placed {
    let forward = forward(sizes.len(), arrows);
    let columns_of = columns(sizes.len(), &forward);
    let mut net = Net::new(sizes, &forward, &columns_of);
    net.sort();
    let ys = net.heights();
    let xs = net.xs();
    let edge = |(y, node): (&f64, &Size), side: f64| y + side * node.height / 2.0;
    let top = ys.iter().zip(&net.nodes).map(|it| edge(it, -1.0)).reduce(f64::min).unwrap_or(0.0);
    let bottom = ys.iter().zip(&net.nodes).map(|it| edge(it, 1.0)).reduce(f64::max).unwrap_or(0.0);
    let point = |node: usize| Point { x: xs[net.column[node]], y: ys[node] - top };
    let ways = net.ways.iter().zip(arrows.iter().zip(&forward)).map(|(way, (arrow, forward))| {
        let points = way.iter().map(|node| point(*node));
        if arrow == forward { points.collect() } else { points.rev().collect() }
    });
    let width = net.widths.iter().sum::<f64>() + GAP.width * (net.widths.len().saturating_sub(1)) as f64;
    Placed {
        boxes: (0..sizes.len()).map(point).collect(),
        ways: ways.collect(),
        size: Size { width, height: bottom - top },
    }
}

/// Returns the arrows without cycles: some are reversed, chosen by the greedy heuristic of Eades, Lin and Smyth.
fn forward(count: usize, arrows: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut left: BTreeSet<usize> = (0..count).collect();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    while !left.is_empty() {
        let out = |node: usize, left: &BTreeSet<usize>| {
            arrows.iter().filter(|(a, b)| *a == node && b != a && left.contains(b)).count()
        };
        let into = |node: usize, left: &BTreeSet<usize>| {
            arrows.iter().filter(|(a, b)| *b == node && a != b && left.contains(a)).count()
        };
        let sink = left.iter().copied().find(|node| out(*node, &left) == 0);
        let source = left.iter().copied().find(|node| into(*node, &left) == 0);
        let best = || {
            left.iter().copied().max_by_key(|node| {
                let net = out(*node, &left) as i64 - into(*node, &left) as i64;
                (net, std::cmp::Reverse(*node))
            })
        };
        let Some(node) = source.or(sink).or_else(best) else { break };
        left.remove(&node);
        if source.is_none() && sink.is_some() { last.push(node) } else { first.push(node) }
    }
    first.extend(last.into_iter().rev());
    let mut place = vec![0; count];
    first.iter().enumerate().for_each(|(i, node)| place[*node] = i);
    arrows.iter().map(|(a, b)| if place[*a] <= place[*b] { (*a, *b) } else { (*b, *a) }).collect()
}

/// Returns a column for each box: after all boxes that point to it, and as near as possible to those it points to.
fn columns(count: usize, forward: &[(usize, usize)]) -> Vec<usize> {
    let mut column = vec![0; count];
    // the graph has no cycle, so this ends after at most one round per box
    for _ in 0..count {
        for (a, b) in forward.iter().filter(|(a, b)| a != b) {
            column[*b] = column[*b].max(column[*a] + 1);
        }
    }
    for _ in 0..count {
        for node in 0..count {
            let next = forward.iter().filter(|(a, b)| *a == node && b != a).map(|(_, b)| column[*b]).min();
            if let Some(next) = next {
                column[node] = column[node].max(next - 1);
            }
        }
    }
    column
}

/// Boxes and the points between them, in columns.
struct Net {
    /// The nodes: boxes first, then points.
    nodes: Vec<Size>,
    column: Vec<usize>,
    /// The nodes of each column in their order.
    columns: Vec<Vec<usize>>,
    /// The neighbours of each node: `before` in the column to its left, `behind` in the column to its right.
    before: Vec<Vec<usize>>,
    behind: Vec<Vec<usize>>,
    /// The points of each arrow, one for each column that it passes.
    ways: Vec<Vec<usize>>,
    widths: Vec<f64>,
}

impl Net {
    fn new(sizes: &[Size], forward: &[(usize, usize)], columns_of: &[usize]) -> Self {
        let mut nodes = sizes.to_vec();
        let mut column = columns_of.to_vec();
        let mut ways = Vec::new();
        let mut links = BTreeSet::new();
        for (a, b) in forward {
            let mut way = Vec::new();
            let mut last = *a;
            for between in columns_of[*a] + 1..columns_of[*b] {
                nodes.push(Size { width: 0.0, height: 4.0 });
                column.push(between);
                links.insert((last, nodes.len() - 1));
                last = nodes.len() - 1;
                way.push(last);
            }
            if a != b {
                links.insert((last, *b));
            }
            ways.push(way);
        }
        let count = column.iter().max().map_or(0, |last| last + 1);
        let mut columns = vec![Vec::new(); count];
        column.iter().enumerate().for_each(|(node, column)| columns[*column].push(node));
        let (mut before, mut behind) = (vec![Vec::new(); nodes.len()], vec![Vec::new(); nodes.len()]);
        for (a, b) in links {
            behind[a].push(b);
            before[b].push(a);
        }
        let width = |nodes_of: &Vec<usize>| nodes_of.iter().map(|node| nodes[*node].width).fold(0.0, f64::max);
        let widths = columns.iter().map(width).collect();
        Self { nodes, column, columns, before, behind, ways, widths }
    }

    /// Sorts each column by the median positions of neighbours, alternately from the left and from the right, and keeps the
    /// order with the fewest crossings.
    fn sort(&mut self) {
        let mut best = (self.crossings(), self.columns.clone());
        for round in 0..ROUNDS {
            let order: Vec<usize> = match round % 2 {
                0 => (1..self.columns.len()).collect(),
                _ => (0..self.columns.len().saturating_sub(1)).rev().collect(),
            };
            for column in order {
                let (other, neighbours) =
                    if round % 2 == 0 { (column - 1, &self.before) } else { (column + 1, &self.behind) };
                let place: BTreeMap<usize, usize> =
                    self.columns[other].iter().enumerate().map(|(i, node)| (*node, i)).collect();
                let middle = |i: usize, node: usize| {
                    let mut places: Vec<usize> =
                        neighbours[node].iter().filter_map(|it| place.get(it).copied()).collect();
                    places.sort_unstable();
                    match places.as_slice() {
                        // a node without neighbours in the other column keeps its relative position
                        [] => i as f64,
                        places => (places[(places.len() - 1) / 2] + places[places.len() / 2]) as f64 / 2.0,
                    }
                };
                let mut keyed: Vec<(f64, usize)> =
                    self.columns[column].iter().enumerate().map(|(i, node)| (middle(i, *node), *node)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                self.columns[column] = keyed.into_iter().map(|(_, node)| node).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    /// Returns the number of pairs of arrows that cross.
    fn crossings(&self) -> usize {
        let mut count = 0;
        for pair in self.columns.windows(2) {
            let place: BTreeMap<usize, usize> = pair[1].iter().enumerate().map(|(i, node)| (*node, i)).collect();
            let mut ends: Vec<usize> = Vec::new();
            for node in &pair[0] {
                let mut next: Vec<usize> = self.behind[*node].iter().filter_map(|it| place.get(it).copied()).collect();
                next.sort_unstable();
                count += next.iter().map(|end| ends.iter().filter(|other| *other > end).count()).sum::<usize>();
                ends.extend(next);
            }
        }
        count
    }

    /// Returns the horizontal centre of each column.
    fn xs(&self) -> Vec<f64> {
        let mut x = 0.0;
        let place = |width: &f64| {
            let middle = x + width / 2.0;
            x += width + GAP.width;
            middle
        };
        self.widths.iter().map(place).collect()
    }

    /// Returns the vertical centre of each node: near its neighbours, in the order of its column, without overlaps.
    fn heights(&self) -> Vec<f64> {
        let mut ys = vec![0.0; self.nodes.len()];
        for column in &self.columns {
            let mut y = 0.0;
            for node in column {
                ys[*node] = y + self.nodes[*node].height / 2.0;
                y += self.nodes[*node].height + GAP.height;
            }
        }
        for round in 0..ROUNDS {
            let order: Vec<&Vec<usize>> =
                if round % 2 == 0 { self.columns.iter().collect() } else { self.columns.iter().rev().collect() };
            for column in order {
                let wish = |node: &usize| {
                    let near: Vec<f64> =
                        self.before[*node].iter().chain(&self.behind[*node]).map(|it| ys[*it]).collect();
                    if near.is_empty() { ys[*node] } else { near.iter().sum::<f64>() / near.len() as f64 }
                };
                let wishes: Vec<f64> = column.iter().map(wish).collect();
                let heights: Vec<f64> = column.iter().map(|node| self.nodes[*node].height).collect();
                for (node, y) in column.iter().zip(apart(&wishes, &heights)) {
                    ys[*node] = y;
                }
            }
        }
        ys
    }
}

/// Returns the centres nearest to the wanted ones, in order and with gaps between the nodes: isotonic regression, which pools
/// neighbours that are too close.
fn apart(wishes: &[f64], heights: &[f64]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut offsets = Vec::new();
    for (i, height) in heights.iter().enumerate() {
        if i > 0 {
            offset += (heights[i - 1] + height) / 2.0 + GAP.height;
        }
        offsets.push(offset);
    }
    // each pool: the sum and the number of its values
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (wish, offset) in wishes.iter().zip(&offsets) {
        pools.push((wish - offset, 1));
        while let [.., (sum, count), (next, more)] = pools.as_slice() {
            if sum / *count as f64 <= next / *more as f64 {
                break;
            }
            let merged = (sum + next, count + more);
            pools.truncate(pools.len() - 2);
            pools.push(merged);
        }
    }
    let levels = pools.iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / *count as f64, *count));
    levels.zip(offsets).map(|(level, offset)| level + offset).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graphs() -> impl Strategy<Value = (Vec<Size>, Vec<(usize, usize)>)> {
        let size = (40.0..200.0, 20.0..60.0).prop_map(|(width, height)| Size { width, height });
        prop::collection::vec(size, 0..16).prop_flat_map(|sizes| {
            let count = sizes.len();
            let arrows = prop::collection::vec((0..count.max(1), 0..count.max(1)), 0..if count > 0 { 30 } else { 1 });
            arrows.prop_map(move |arrows| (sizes.clone(), arrows))
        })
    }

    proptest! {
        /// No box is over another, every box is in the picture, and every arrow has its way.
        #[test]
        fn nothing_is_over_anything((sizes, arrows) in graphs()) {
            let placed = place(&sizes, &arrows);
            prop_assert_eq!(placed.boxes.len(), sizes.len());
            prop_assert_eq!(placed.ways.len(), arrows.len());
            for (i, (a, size)) in placed.boxes.iter().zip(&sizes).enumerate() {
                prop_assert!(a.x - size.width / 2.0 >= -0.01 && a.x + size.width / 2.0 <= placed.size.width + 0.01);
                prop_assert!(a.y - size.height / 2.0 >= -0.01 && a.y + size.height / 2.0 <= placed.size.height + 0.01);
                for (b, other) in placed.boxes.iter().zip(&sizes).skip(i + 1) {
                    let beside = (a.x - b.x).abs() >= (size.width + other.width) / 2.0 - 0.01;
                    let above = (a.y - b.y).abs() >= (size.height + other.height) / 2.0 - 0.01;
                    prop_assert!(beside || above, "{a:?} {size:?} is over {b:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn arrows_outside_of_cycles_point_to_the_right() {
        let sizes = [Size { width: 50.0, height: 20.0 }; 5];
        let arrows = [(0, 1), (1, 2), (0, 2), (3, 2), (2, 4)];
        let placed = place(&sizes, &arrows);
        assert!(arrows.iter().all(|(a, b)| placed.boxes[*a].x < placed.boxes[*b].x));
        assert_eq!(placed.ways[2].len(), 1, "the long one passes a column");
        // in the column directly before its target
        assert_eq!(placed.boxes[3].x, placed.boxes[1].x);
    }

    #[test]
    fn a_circle_has_one_arrow_back() {
        let sizes = [Size { width: 50.0, height: 20.0 }; 3];
        let placed = place(&sizes, &[(0, 1), (1, 2), (2, 0)]);
        let back = [(0, 1), (1, 2), (2, 0)].iter().filter(|(a, b)| placed.boxes[*a].x > placed.boxes[*b].x).count();
        assert_eq!(back, 1);
    }
}
