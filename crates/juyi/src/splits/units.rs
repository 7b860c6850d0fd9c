//! What is never torn apart: groups, joined where a row of one is a copy of a row of another.

/// The unit of each row, numbered from 0 in order of appearance, and the rows of each unit, rising.
pub(super) fn units(groups: &[usize], leaders: &[usize]) -> Vec<Vec<usize>> {
    let n = groups.len();
    let mut up: Vec<usize> = (0..n).collect();
    let mut first = std::collections::HashMap::new();
    for row in 0..n {
        let of_group = *first.entry(groups[row]).or_insert(row);
        for other in [of_group, leaders[row]] {
            let (a, b) = (root(&mut up, row), root(&mut up, other));
            up[a.max(b)] = a.min(b);
        }
    }
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut number = vec![usize::MAX; n];
    for row in 0..n {
        let root = root(&mut up, row);
        if number[root] == usize::MAX {
            number[root] = units.len();
            units.push(Vec::new());
        }
        units[number[root]].push(row);
    }
    units
}

/// The first row that a row is joined with; paths are halved on the way.
fn root(up: &mut [usize], mut row: usize) -> usize {
    while up[row] != row {
        up[row] = up[up[row]];
        row = up[row];
    }
    row
}

/// The rows of some units, rising.
pub(super) fn rows_of(units: &[Vec<usize>], which: &[usize]) -> Vec<usize> {
    let mut rows: Vec<usize> = which.iter().flat_map(|&unit| units[unit].iter().copied()).collect();
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_join_groups_along_any_chain() {
        // Row 3 of group 1 copies row 0 of group 0, row 5 of group 2 copies row 2 of group 1; group 3 stands alone.
        let found = units(&[0, 0, 1, 1, 3, 2], &[0, 1, 2, 0, 4, 2]);
        assert_eq!(found, [vec![0, 1, 2, 3, 5], vec![4]]);
        assert_eq!(rows_of(&found, &[1, 0]), [0, 1, 2, 3, 4, 5]);
        assert_eq!(units(&[7, 7, 9], &[0, 1, 2]), [vec![0, 1], vec![2]]);
    }
}
