//! A basis of the network simplex method: a spanning tree with flows and prices, and the step from one to the next.
//!
//! The nodes of a subtree are consecutive in the preorder ring, so a step touches only the part of the tree that
//! moves, and the paths to where the entering arc's ends meet.

/// A node's arc to its parent. Flow runs from the source to the target, whichever of them is the parent.
#[derive(Clone, Copy, Default)]
pub(super) struct Link {
    pub(super) flow: i128,
    pub(super) cost: f64,
    pub(super) parent: u32,
    /// Nodes in the subtree of this node.
    pub(super) size: u32,
}

/// A basis. Sources are nodes `0..n`, targets the nodes from `n` on; the root is node 0.
pub(super) struct Tree {
    sources: u32,
    /// What a mass is multiplied by before it is counted in `UNITS`.
    pub(super) scale: f64,
    pub(super) links: Vec<Link>,
    pub(super) prices: Vec<f64>,
    /// All nodes in preorder, as a ring: the node after each, and the one before.
    next: Vec<u32>,
    previous: Vec<u32>,
    /// Scratch: the nodes of a subtree in preorder, and the place of each among them.
    moved: Vec<u32>,
    place: Vec<u32>,
}

impl Tree {
    /// The tree with these arcs: for each node, its neighbours and the arc that would lead to it as their parent.
    pub(super) fn from_arcs(sources: usize, scale: f64, arcs: &[Vec<(u32, Link)>]) -> Self {
        let count = arcs.len();
        let mut tree = Self {
            sources: sources as u32,
            scale,
            links: vec![Link { size: 1, ..Link::default() }; count],
            prices: vec![0.0; count],
            next: vec![0; count],
            previous: vec![0; count],
            moved: Vec::new(),
            place: vec![0; count],
        };
        let (mut order, mut stack) = (Vec::new(), vec![0u32]);
        while let Some(node) = stack.pop() {
            order.push(node);
            let parent = tree.links[node as usize].parent;
            for &(child, link) in arcs[node as usize].iter().filter(|arc| node == 0 || arc.0 != parent) {
                tree.links[child as usize] = link;
                stack.push(child);
            }
        }
        tree.follow(order[count - 1], 0);
        for pair in order.windows(2).rev() {
            tree.follow(pair[0], pair[1]);
            let Link { parent, size, .. } = tree.links[pair[1] as usize];
            tree.links[parent as usize].size += size;
        }
        tree
    }

    /// Makes `b` the node after `a` in preorder.
    fn follow(&mut self, a: u32, b: u32) {
        self.next[a as usize] = b;
        self.previous[b as usize] = a;
    }

    /// `c_ij − u_i − v_j`.
    pub(super) fn reduced(&self, (i, j, cost): (u32, u32, f64)) -> f64 {
        cost - self.prices[i as usize] - self.prices[j as usize]
    }

    /// All prices anew from the root, with no rounding left from earlier steps.
    pub(super) fn price_all(&mut self) {
        self.prices[0] = 0.0;
        let mut node = self.next[0];
        while node != 0 {
            let link = &self.links[node as usize];
            self.prices[node as usize] = link.cost - self.prices[link.parent as usize];
            node = self.next[node as usize];
        }
    }

    /// Takes the arc from source `i` to target `j` into the tree, and the arc that runs empty out of it.
    pub(super) fn pivot(&mut self, (i, j, cost): (u32, u32, f64)) {
        // Climb from both ends to where they meet; the end with the smaller subtree is not yet there. Along
        // either path the arcs lose and gain flow in turn, beginning with a loss.
        let (mut ends, mut loses) = ([i, j], [true, true]);
        let (mut flow, mut cut, mut side) = (i128::MAX, i, 0);
        while ends[0] != ends[1] {
            let [a, b] = ends.map(|end| self.links[end as usize].size);
            let k = usize::from(a > b);
            let link = &self.links[ends[k] as usize];
            if loses[k] && link.flow < flow {
                (flow, cut, side) = (link.flow, ends[k], k);
            }
            (ends[k], loses[k]) = (link.parent, !loses[k]);
        }
        let size = self.links[cut as usize].size;
        let below = self.links[cut as usize].parent;
        for start in [i, j] {
            let (mut node, mut change) = (start, -flow);
            while node != ends[0] {
                let link = &mut self.links[node as usize];
                link.flow += change;
                (node, change) = (link.parent, -change);
            }
        }
        let (inner, outer) = if side == 0 { (i, j) } else { (j, i) };
        self.resize(below, ends[0], size.wrapping_neg());
        self.resize(outer, ends[0], size);
        self.hang(inner, cut, Link { flow, cost, parent: outer, size });
    }

    /// Adds `change` to the subtree sizes from `node` up to, but not including, `end`.
    fn resize(&mut self, mut node: u32, end: u32, change: u32) {
        while node != end {
            let link = &mut self.links[node as usize];
            link.size = link.size.wrapping_add(change);
            node = link.parent;
        }
    }

    /// Takes the subtree of `top` out, makes its node `root` its root and hangs it where `link` says.
    fn hang(&mut self, root: u32, top: u32, link: Link) {
        let change = link.cost - self.prices[root as usize] - self.prices[link.parent as usize];
        let is_source = root < self.sources;
        self.moved.clear();
        let mut node = top;
        for place in 0..link.size {
            self.moved.push(node);
            self.place[node as usize] = place;
            self.prices[node as usize] += if (node < self.sources) == is_source { change } else { -change };
            node = self.next[node as usize];
        }
        self.follow(self.previous[top as usize], node);
        // The way from the new root to the old one turns round: each parent becomes a child, and in preorder the
        // rest of its subtree follows the child's.
        let span = |tree: &Self, node: u32| {
            let start = tree.place[node as usize] as usize;
            (start, start + tree.links[node as usize].size as usize)
        };
        let (mut node, mut new, (mut start, mut end)) = (root, link, span(self, root));
        let mut tail = self.moved[end - 1];
        loop {
            let old = std::mem::replace(&mut self.links[node as usize], new);
            if node == top {
                break;
            }
            let (outer_start, outer_end) = span(self, old.parent);
            self.follow(tail, old.parent);
            tail = self.moved[start - 1];
            if end < outer_end {
                self.follow(tail, self.moved[end]);
                tail = self.moved[outer_end - 1];
            }
            new = Link { parent: node, size: link.size - old.size, ..old };
            (node, start, end) = (old.parent, outer_start, outer_end);
        }
        self.follow(tail, self.next[link.parent as usize]);
        self.follow(link.parent, root);
    }
}
