//! Python's pickles, read as data: a stack machine that builds nodes and runs nothing.
//!
//! Format: the notes in Python's own `pickletools` module, protocols 0 to 5. A pickle is a program that may import any
//! function and call it; here a function is a name, and a call is a node that holds the name and the arguments,
//! whatever they are. Which calls have a meaning is up to those who read the nodes.
//!
//! The machine takes one step a code and never recurses; nodes refer to each other by number, so depth costs nothing.
//! Texts and bytes are parts of the input. Memory and work are linear in the input, save for the pairs of a dictionary
//! made of a list, which are copied; all is counted against the budget.

mod escapes;
mod machine;

use std::borrow::Cow;

use juyi::error::{Error, Result, shown};

use self::machine::Machine;
use super::values::{Budget, MOST_DIMENSIONS};

/// What one code can leave behind: a node, a place on the stack and one in a container or the memo, in bytes.
const CODE: u64 = 128;

/// Longest name of anything, in bytes.
const LONGEST: usize = 1000;

/// One value of a pickle; others are referred to by their numbers.
#[derive(Debug)]
pub(super) enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// A float, or what comes near to a whole number of more than 64 bits; not finite where that is not kept.
    Number(f64),
    /// UTF-8, not checked yet.
    Text(Cow<'a, [u8]>),
    /// Bytes, or a text of Python 2.
    Bytes(Cow<'a, [u8]>),
    Tuple(Vec<usize>),
    List(Vec<usize>),
    /// Keys and values in order.
    Dict(Vec<(usize, usize)>),
    /// A set, whose members are not kept.
    Set,
    /// A function or class: the texts that name its module and itself.
    Global(usize, usize),
    /// Something that is stored elsewhere in the file.
    Persistent(usize),
    /// A call that is not made, or an object with what its class would be given; `state` came later.
    Call {
        function: usize,
        arguments: usize,
        state: Option<usize>,
    },
}

/// A call of a function that has a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'p> {
    /// Module and name.
    pub(super) function: (&'p [u8], &'p [u8]),
    /// Empty if they are no tuple.
    pub(super) arguments: &'p [usize],
    pub(super) state: Option<usize>,
}

/// The nodes of one pickle.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    nodes: Vec<Node<'a>>,
    /// The value of the whole.
    pub(super) root: usize,
    /// Bytes that the pickle takes; more may follow.
    pub(super) length: usize,
}

impl<'a> Pickle<'a> {
    /// Reads the pickle at the start of `bytes`; messages call it `thing`.
    ///
    /// # Errors
    /// [`Error::Input`] for a pickle that is damaged or needs what is not in the file; [`Error::Memory`].
    pub(super) fn read(thing: &str, bytes: &'a [u8], budget: &mut Budget) -> Result<Self> {
        let mut machine = Machine::new(bytes);
        loop {
            let start = machine.at;
            match machine.step() {
                Ok(None) => budget.take(CODE + std::mem::take(&mut machine.copied))?,
                Ok(Some(root)) => return Ok(Self { nodes: machine.nodes, root, length: machine.at }),
                Err(problem) => {
                    let problem = format!("is not a sound pickle: byte {start} {problem}");
                    return Err(Error::input(thing, problem, "fetch the file again, or write it anew"));
                }
            }
        }
    }

    pub(super) fn node(&self, id: usize) -> &Node<'a> {
        &self.nodes[id]
    }

    /// All nodes, in the order in which they were made.
    pub(super) fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    /// A text that can be a name.
    pub(super) fn text(&self, id: usize) -> Option<&str> {
        match &self.nodes[id] {
            Node::Text(bytes) | Node::Bytes(bytes) if bytes.len() <= LONGEST => {
                std::str::from_utf8(bytes).ok()
            }
            _ => None,
        }
    }

    /// A whole number that is not negative.
    pub(super) fn size(&self, id: usize) -> Option<usize> {
        if let Node::Int(number) = self.nodes[id] { usize::try_from(number).ok() } else { None }
    }

    /// A number that is finite.
    pub(super) fn number(&self, id: usize) -> Option<f64> {
        match self.nodes[id] {
            Node::Int(number) => Some(number as f64),
            Node::Number(number) => Some(number).filter(|number| number.is_finite()),
            _ => None,
        }
    }

    /// A shape or strides.
    pub(super) fn sizes(&self, id: usize) -> Option<Vec<usize>> {
        let sizes = self.tuple(id).filter(|sizes| sizes.len() <= MOST_DIMENSIONS)?;
        sizes.iter().map(|size| self.size(*size)).collect()
    }

    pub(super) fn tuple(&self, id: usize) -> Option<&[usize]> {
        if let Node::Tuple(items) = &self.nodes[id] { Some(items) } else { None }
    }

    /// Module and name of a function or class.
    pub(super) fn global(&self, id: usize) -> Option<(&[u8], &[u8])> {
        let Node::Global(module, name) = self.nodes[id] else { return None };
        match (&self.nodes[module], &self.nodes[name]) {
            (Node::Text(module), Node::Text(name)) => Some((module, name)),
            _ => None,
        }
    }

    pub(super) fn call(&self, id: usize) -> Option<Call<'_>> {
        let Node::Call { function, arguments, state } = self.nodes[id] else { return None };
        let arguments = self.tuple(arguments).unwrap_or_default();
        Some(Call { function: self.global(function)?, arguments, state })
    }

    /// What a value is, in words.
    pub(super) fn described(&self, id: usize) -> String {
        let named = |id: usize| {
            let (module, name) = self.global(id)?;
            let text = |bytes: &[u8]| shown(&String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]));
            Some(format!("`{}.{}`", text(module), text(name)))
        };
        match &self.nodes[id] {
            Node::None => "None".into(),
            Node::Bool(_) => "a truth value".into(),
            Node::Int(_) | Node::Number(_) => "a number".into(),
            Node::Text(_) => "text".into(),
            Node::Bytes(_) => "bytes".into(),
            Node::Tuple(_) => "a tuple".into(),
            Node::List(_) => "a list".into(),
            Node::Dict(_) => "a dictionary".into(),
            Node::Set => "a set".into(),
            Node::Global(..) => format!("the name {}", named(id).unwrap_or_default()),
            Node::Persistent(_) => "a reference to another part of the file".into(),
            Node::Call { function, .. } => {
                // Old files of PyTorch keep the class of a network as (`module`, class, its source text …).
                let class = match self.nodes[*function] {
                    Node::Persistent(parts) => self.tuple(parts).and_then(|parts| parts.get(1).copied()),
                    _ => Some(*function),
                };
                let class = class.and_then(named).unwrap_or_else(|| "a function without a name".into());
                format!("an object made by {class}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Pickle<'_>> {
        Pickle::read("`f`", bytes, &mut Budget::new("f", 1 << 20))
    }

    /// The value and all below it, in the notation of Python as far as there is one.
    fn shown_whole(pickle: &Pickle<'_>, id: usize) -> String {
        let all =
            |ids: &[usize]| ids.iter().map(|id| shown_whole(pickle, *id)).collect::<Vec<_>>().join(", ");
        match pickle.node(id) {
            Node::Bool(value) => format!("{value}"),
            Node::Int(number) => format!("{number}"),
            Node::Number(number) => format!("{number:?}"),
            Node::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
            Node::Bytes(bytes) => format!("b'{}'", bytes.escape_ascii()),
            Node::Tuple(items) => format!("({})", all(items)),
            Node::List(items) => format!("[{}]", all(items)),
            Node::Dict(entries) => {
                let entry = |(key, value): &(usize, usize)| all(&[*key, *value]).replacen(", ", ": ", 1);
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            Node::Persistent(id) => format!("at {}", shown_whole(pickle, *id)),
            Node::Call { function, arguments, state } => {
                let state = state.map(|state| format!(" with {}", shown_whole(pickle, state)));
                format!(
                    "{}{}{}",
                    shown_whole(pickle, *function),
                    shown_whole(pickle, *arguments),
                    state.unwrap_or_default()
                )
            }
            Node::Global(module, name) => {
                format!("{}.{}", pickle.text(*module).unwrap(), pickle.text(*name).unwrap())
            }
            Node::None | Node::Set => pickle.described(id),
        }
    }

    fn value(body: &[u8]) -> String {
        let bytes = [body, b"."].concat();
        let pickle = read(&bytes).unwrap();
        assert_eq!(pickle.length, bytes.len());
        shown_whole(&pickle, pickle.root)
    }

    /// The meaning of each code is that of `pickletools`.
    #[test]
    fn every_code_makes_its_value() {
        assert_eq!(value(b"(NI00\nI01\n\x88\x89t"), "(None, false, true, true, false)");
        assert_eq!(value(b"(I-12\nL34L\nK\xffM\xff\xffJ\xff\xff\xff\xfft"), "(-12, 34, 255, 65535, -1)");
        assert_eq!(value(b"(\x8a\0\x8a\x01\xff\x8a\x02\0\x01\x8b\x01\0\0\0\x05t"), "(0, -1, 256, 5)");
        assert_eq!(
            value(b"(L99999999999999999999L\n\x8a\x09123456789F1.5\nG\x3f\xe0\0\0\0\0\0\0t"),
            "(1e20, NaN, 1.5, 0.5)"
        );
        assert_eq!(value(b"(S'a\\n'\nU\x01bT\x01\0\0\0ct"), "(b'a\\n', b'b', b'c')");
        assert_eq!(
            value(b"(V\\u00e9\nX\x01\0\0\0b\x8c\x01c\x8d\x01\0\0\0\0\0\0\0dt"),
            r#"("é", "b", "c", "d")"#
        );
        assert_eq!(
            value(b"(C\x01aB\x01\0\0\0b\x8e\x01\0\0\0\0\0\0\0c\x96\x01\0\0\0\0\0\0\0dt"),
            "(b'a', b'b', b'c', b'd')"
        );
        assert_eq!(
            value(b"()](K\x01l}(K\x01K\x02d\x8f(K\x01\x91t"),
            "((), [], [1], {}, {1: 2}, a set, a set)"
        );
        assert_eq!(value(b"(K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87t"), "((1), (1, 2), (1, 2, 3))");
        assert_eq!(value(b"]K\x01a(K\x02K\x03e"), "[1, 2, 3]");
        assert_eq!(value(b"}K\x01K\x02s(K\x03K\x04K\x05K\x06u"), "{1: 2, 3: 4, 5: 6}");
        assert_eq!(value(b"\x8f(K\x01\x90"), "a set");
        assert_eq!(value(b"K\x07q\0K\x08r\x01\0\0\0K\x09p2\n0"), "8");
        assert_eq!(value(b"(K\x07q\x05K\x08\x94h\x05g1\nj\x05\0\0\0t"), "(7, 8, 7, 8, 7)");
        assert_eq!(value(b"K\x01(K\x02K\x031"), "1");
        assert_eq!(value(b"K\x01(0"), "1");
        assert_eq!(value(b"(K\x012t"), "(1, 1)");
        assert_eq!(value(b"(K\x01K\x020t"), "(1)");
        assert_eq!(value(b"\x80\x04\x95\x02\0\0\0\0\0\0\0K\x01"), "1");
        assert_eq!(value(b"(cm.n\nf\n\x8c\x01m\x8c\x01g\x93t"), "(m.n.f, m.g)");
        assert_eq!(value(b"(Pkey\nK\x01Qt"), r#"(at "key", at 1)"#);
        assert_eq!(value(b"(cm\nf\n(K\x01tRcm\nC\n)\x81t"), "(m.f(1), m.C())");
        assert_eq!(value(b"(cm\nC\n)}\x92(K\x01im\nD\n(cm\nE\nK\x02ot"), "(m.C(), m.D(1), m.E(2))");
        assert_eq!(value(b"cm\nf\n)RK\x01bK\x02b"), "m.f() with 2");
        assert_eq!(value(b"}}b"), "{}");
        assert_eq!(value(b"cm\nf\n)RK\x01aK\x01K\x02s"), "m.f()");
    }

    #[test]
    fn ordered_dictionaries_are_dictionaries() {
        assert_eq!(value(b"ccollections\nOrderedDict\n)RK\x01K\x02s"), "{1: 2}");
        let python_2 = b"ccollections\nOrderedDict\n(](](K\x01K\x02e](K\x03K\x04eetR";
        assert_eq!(value(python_2), "{1: 2, 3: 4}");
        assert_eq!(value(b"ccollections\nCounter\n)R"), "collections.Counter()");
    }

    #[test]
    fn what_is_not_sound_is_refused_with_its_place() {
        let problem = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        let cut = "needs more than there is: the file is cut off";
        assert_eq!(problem(b""), format!("`f`: is not a sound pickle: byte 0 {cut}"));
        assert_eq!(problem(b"NX\xff\xff\xff\xffab"), format!("`f`: is not a sound pickle: byte 1 {cut}"));
        for (bytes, words) in [
            (&b"\x80\x06."[..], "protocol that is not known"),
            (b".", "where there is none"),
            (b"K\x01(.", "where there is none"),
            (b"(0.", "where there is none"),
            (b"t", "mark where there is none"),
            (b"h\0.", "never kept"),
            (b"gx\n.", "under no number"),
            (b"Iab", "line without an end"),
            (b"I\xff\n.", "not a number"),
            (b"Sab\n.", "not a text in quotes"),
            (b"V\\ud800\n.", "not Unicode"),
            (b"K\x01K\x02a.", "no container"),
            (b"]K\x01K\x02s.", "no container"),
            (b"}(K\x01u.", "half a pair"),
            (b"(o.", "of no class"),
            (b"NN\x93.", "something that is no text"),
            (b"ccollections\nOrderedDict\n(K\x01tR.", "no list"),
            (b"ccollections\nOrderedDict\n(](K\x01etR.", "no pair"),
            (b"\x82\x01.", "table of extensions"),
            (b"\x97.", "buffer that is not in the file"),
            (b"\xff", "a code that is not known"),
        ] {
            assert!(problem(bytes).contains(words), "{}: {}", bytes.escape_ascii(), problem(bytes));
        }
    }

    #[test]
    fn depth_costs_no_more_than_length() {
        let deep = [vec![b']'; 2000], vec![b'a'; 1999], vec![b'.']].concat();
        assert_eq!(read(&deep).unwrap().nodes().len(), 2000);
        let small = Pickle::read("`f`", &deep, &mut Budget::new("f", 4000 * CODE - 1000));
        assert!(matches!(small, Err(Error::Memory { .. })));
        // A list that holds itself.
        let bytes = b"]q\0h\0a.";
        let cycle = read(bytes).unwrap();
        assert!(matches!(cycle.node(cycle.root), Node::List(items) if items[..] == [cycle.root]));
    }

    /// Two codes can ask for another copy of a long list.
    #[test]
    fn copies_are_counted() {
        let list = [&b"](NN\x86q\x00"[..], &b"h\0".repeat(1000), b"e\x85q\x01"].concat();
        let dictionary = b"ccollections\nOrderedDict\nq\x020h\x02h\x01R";
        let few = [&list[..], dictionary, b"."].concat();
        assert!(read(&few).is_ok());
        let many = [&list[..], dictionary, &b"h\x02h\x01R".repeat(100), b"."].concat();
        assert!(matches!(read(&many), Err(Error::Memory { .. })));
    }
}
