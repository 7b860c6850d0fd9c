//! The machine that carries out the codes of a pickle: a stack, marks on it, and a memo of values kept for later.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Node, escapes};

/// The state of a pickle that is being read.
#[derive(Debug, Default)]
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) nodes: Vec<Node<'a>>,
    stack: Vec<usize>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u64, usize>,
    /// Bytes that the last code allocated for copies.
    pub(super) copied: u64,
}

/// A float in digits, or a whole number that is too long.
fn number<'a>(digits: &str) -> Node<'a> {
    Node::Number(digits.trim().parse().unwrap_or(f64::NAN))
}

/// What is wrong with a code.
pub(super) type Step<T> = std::result::Result<T, &'static str>;

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Carries out one code; the value of the pickle after the last.
    pub(super) fn step(&mut self) -> Step<Option<usize>> {
        let code = self.take(1)?[0];
        match code {
            b'.' => return self.pop().map(Some),
            0x80 => {
                if self.unsigned(1)? > 5 {
                    return Err("asks for a protocol that is not known (0 to 5 are)");
                }
            }
            0x95 => drop(self.take(8)?), // a frame: how much to read ahead
            b'(' => self.marks.push(self.stack.len()),
            b'0' if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.since_mark()?),
            b'2' => self.stack.push(self.top()?),
            b'p' | b'q' | b'r' | 0x94 => {
                let key = self.memo_key(code)?;
                self.memo.insert(key, self.top()?);
            }
            b'g' | b'h' | b'j' => {
                let key = self.memo_key(code)?;
                let id = *self.memo.get(&key).ok_or("refers to a value that was never kept")?;
                self.stack.push(id);
            }
            b'a' | b'e' | b's' | b'u' | 0x90 => self.fill(code)?,
            b'b' => {
                let built = self.pop()?;
                let top = self.top()?;
                // Attributes of a dictionary or list are no part of its content.
                if let Node::Call { state, .. } = &mut self.nodes[top] {
                    *state = Some(built);
                }
            }
            0x82..=0x84 => return Err("uses the table of extensions, which is not in the file"),
            0x97 | 0x98 => return Err("refers to a buffer that is not in the file"),
            _ => {
                let node = self.made(code)?;
                self.push(node);
            }
        }
        Ok(None)
    }

    /// The node that a code makes.
    fn made(&mut self, code: u8) -> Step<Node<'a>> {
        Ok(match code {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b'I' | b'L' => match self.line()? {
                b"00" if code == b'I' => Node::Bool(false),
                b"01" if code == b'I' => Node::Bool(true),
                digits => {
                    let digits = std::str::from_utf8(digits).map_err(|_| "is not a number")?;
                    let digits = digits.trim_end_matches('L');
                    digits.parse().map_or_else(|_| number(digits), Node::Int)
                }
            },
            b'K' => Node::Int(self.signed(1)? & 0xff),
            b'M' => Node::Int(self.signed(2)? & 0xffff),
            b'J' => Node::Int(self.signed(4)?),
            0x8a | 0x8b => {
                let width = self.unsigned(if code == 0x8a { 1 } else { 4 })?;
                if width <= 8 {
                    Node::Int(self.signed(width)?)
                } else {
                    self.take(width)?;
                    Node::Number(f64::NAN)
                }
            }
            b'F' => number(std::str::from_utf8(self.line()?).unwrap_or_default()),
            b'G' => {
                let bytes = self.take(8)?.first_chunk().copied().unwrap_or_default();
                Node::Number(f64::from_be_bytes(bytes))
            }
            b'S' => {
                let text = escapes::quoted(self.line()?).ok_or("is not a text in quotes")?;
                Node::Bytes(self.counted(text))
            }
            b'V' => {
                let text = escapes::raw_unicode(self.line()?).ok_or("is not Unicode")?;
                Node::Text(self.counted(text))
            }
            b'X' => Node::Text(self.sized(4)?),
            0x8c => Node::Text(self.sized(1)?),
            0x8d => Node::Text(self.sized(8)?),
            b'U' | b'C' => Node::Bytes(self.sized(1)?),
            b'T' | b'B' => Node::Bytes(self.sized(4)?),
            0x8e | 0x96 => Node::Bytes(self.sized(8)?),
            b')' => Node::Tuple(Vec::new()),
            b't' => Node::Tuple(self.since_mark()?),
            0x85..=0x87 => {
                let mut items = Vec::new();
                for _ in 0x85..=code {
                    items.push(self.pop()?);
                }
                items.reverse();
                Node::Tuple(items)
            }
            b']' => Node::List(Vec::new()),
            b'l' => Node::List(self.since_mark()?),
            b'}' => Node::Dict(Vec::new()),
            b'd' => Node::Dict(pairs(&self.since_mark()?)?),
            0x8f => Node::Set,
            0x91 => {
                self.since_mark()?;
                Node::Set
            }
            _ => return self.called(code),
        })
    }

    /// The node of a function, a call or a reference out of the pickle.
    fn called(&mut self, code: u8) -> Step<Node<'a>> {
        Ok(match code {
            b'c' => self.named()?,
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                match (&self.nodes[module], &self.nodes[name]) {
                    (Node::Text(_), Node::Text(_)) => Node::Global(module, name),
                    _ => return Err("names a function by something that is no text"),
                }
            }
            b'P' => {
                let line = Node::Text(self.line()?.into());
                Node::Persistent(self.push_aside(line))
            }
            b'Q' => Node::Persistent(self.pop()?),
            b'R' | 0x81 => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.call(function, arguments)?
            }
            0x92 => {
                let (_, arguments, function) = (self.pop()?, self.pop()?, self.pop()?);
                self.call(function, arguments)?
            }
            b'i' => {
                let class = self.named()?;
                let arguments = Node::Tuple(self.since_mark()?);
                let (class, arguments) = (self.push_aside(class), self.push_aside(arguments));
                self.call(class, arguments)?
            }
            b'o' => {
                let mut items = self.since_mark()?;
                if items.is_empty() {
                    return Err("makes an object of no class");
                }
                let class = items.remove(0);
                let arguments = self.push_aside(Node::Tuple(items));
                self.call(class, arguments)?
            }
            _ => return Err("is a code that is not known"),
        })
    }

    /// The node of a call: a dictionary if an ordered one is made, what was asked for otherwise.
    fn call(&mut self, function: usize, arguments: usize) -> Step<Node<'a>> {
        let is = |id: usize, word: &[u8]| matches!(&self.nodes[id], Node::Text(text) if **text == *word);
        match self.nodes[function] {
            Node::Global(module, name) if is(module, b"collections") && is(name, b"OrderedDict") => {}
            _ => return Ok(Node::Call { function, arguments, state: None }),
        }
        // Python 2 gives it a list of pairs; Python 3 gives nothing and fills it later.
        let lists = if let Node::Tuple(lists) = &self.nodes[arguments] { &lists[..] } else { &[] };
        let items = match lists {
            [] => &[],
            [list, ..] => match &self.nodes[*list] {
                Node::List(items) => &items[..],
                _ => return Err("makes a dictionary of something that is no list"),
            },
        };
        let pair = |id: &usize| match &self.nodes[*id] {
            Node::List(pair) | Node::Tuple(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            _ => Err("makes a dictionary of something that is no pair"),
        };
        let pairs: Vec<(usize, usize)> = items.iter().map(pair).collect::<Step<_>>()?;
        self.copied += size_of_val(&pairs[..]) as u64;
        Ok(Node::Dict(pairs))
    }

    /// Puts values into the list or dictionary below them.
    fn fill(&mut self, code: u8) -> Step<()> {
        let items = match code {
            b'a' => vec![self.pop()?],
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                vec![key, value]
            }
            _ => self.since_mark()?,
        };
        let top = self.top()?;
        match (&mut self.nodes[top], code) {
            (Node::List(list), b'a' | b'e') => list.extend(items),
            (Node::Dict(dict), b's' | b'u') => dict.extend(pairs(&items)?),
            // Objects may be lists, sets or dictionaries too; what is in them is not kept.
            (Node::Call { .. } | Node::Set, _) => {}
            _ => return Err("fills a value that is no container"),
        }
        Ok(())
    }

    fn push(&mut self, node: Node<'a>) {
        let id = self.push_aside(node);
        self.stack.push(id);
    }

    /// Keeps a node that does not go on the stack.
    fn push_aside(&mut self, node: Node<'a>) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The top of the stack, above the last mark.
    fn top(&self) -> Step<usize> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack[floor..].last().copied().ok_or("takes a value where there is none")
    }

    fn pop(&mut self) -> Step<usize> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// Takes all values above the last mark, and the mark.
    fn since_mark(&mut self) -> Step<Vec<usize>> {
        let mark = self.marks.pop().ok_or("takes values down to a mark where there is none")?;
        Ok(self.stack.split_off(mark))
    }

    fn memo_key(&mut self, code: u8) -> Step<u64> {
        match code {
            b'p' | b'g' => {
                let digits = std::str::from_utf8(self.line()?).ok();
                digits.and_then(|digits| digits.parse().ok()).ok_or("is kept under no number")
            }
            b'q' | b'h' => self.unsigned(1),
            b'r' | b'j' => self.unsigned(4),
            _ => Ok(self.memo.len() as u64),
        }
    }

    /// Two lines: a module and a name in it.
    fn named(&mut self) -> Step<Node<'a>> {
        let [module, name] = [self.line()?, self.line()?].map(|line| Node::Text(line.into()));
        let (module, name) = (self.push_aside(module), self.push_aside(name));
        Ok(Node::Global(module, name))
    }

    fn take(&mut self, length: u64) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let part = rest.get(..length).ok_or("needs more than there is: the file is cut off")?;
        self.at += length;
        Ok(part)
    }

    fn line(&mut self) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("starts a line without an end")?;
        self.at += end + 1;
        Ok(&rest[..end])
    }

    /// A number of up to 8 bytes, the lowest first.
    fn unsigned(&mut self, width: u64) -> Step<u64> {
        Ok(self.take(width)?.iter().rfold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn signed(&mut self, width: u64) -> Step<i64> {
        let number = self.unsigned(width)?.cast_signed();
        let unused = 64 - 8 * width;
        Ok(if width == 0 { 0 } else { number << unused >> unused })
    }

    /// Bytes behind their length, which is itself a number of `width` bytes.
    fn sized(&mut self, width: u64) -> Step<Cow<'a, [u8]>> {
        let length = self.unsigned(width)?;
        self.take(length).map(Cow::Borrowed)
    }

    /// The text, counted if it had to be copied.
    fn counted(&mut self, text: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
        if let Cow::Owned(copy) = &text {
            self.copied += copy.len() as u64;
        }
        text
    }
}

fn pairs(items: &[usize]) -> Step<Vec<(usize, usize)>> {
    let (pairs, []) = items.as_chunks::<2>() else { return Err("fills a dictionary with half a pair") };
    Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect())
}
