//! The four classifications that the field has of transfer learning, and the place that a method's row gives it in each.

use super::{Family, Goals, LabelUse, METHODS, MethodRow, SourceNeed, Sources};
use crate::error::{Error, Result};

/// What a method carries over from the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// Nothing.
    Nothing,
    /// Rows.
    Instances,
    /// A space for the rows.
    Features,
    /// What a model has learnt.
    Parameters,
    /// Which rows go together.
    Relations,
}

/// A group of a classification.
pub struct Group {
    /// The field's term, in English and in Chinese.
    pub name: [&'static str; 2],
    /// Its methods in a line, in English and in Chinese.
    pub about: [&'static str; 2],
    holds: fn(&MethodRow) -> bool,
}

impl Group {
    /// Whether a method belongs to it.
    pub fn holds(&self, row: &MethodRow) -> bool {
        (self.holds)(row)
    }

    /// Its methods, in the order in which all are listed.
    pub fn methods(&self) -> Vec<&'static MethodRow> {
        METHODS.iter().filter(|row| self.holds(row)).collect()
    }
}

/// A way to class methods; one method may be in several of its groups.
pub struct Classification {
    /// The word that stands for it.
    pub word: &'static str,
    /// Its name, in English and in Chinese.
    pub name: [&'static str; 2],
    /// What it asks, in English and in Chinese.
    pub about: [&'static str; 2],
    /// Its groups.
    pub groups: &'static [Group],
}

impl Classification {
    /// The classification of this word.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn named(word: &str) -> Result<&'static Self> {
        CLASSIFICATIONS.iter().find(|one| one.word == word).ok_or_else(|| Error::Unknown {
            kind: "classification".into(),
            name: word.into(),
            known: CLASSIFICATIONS.iter().map(|one| one.word.to_string()).collect(),
        })
    }
}

/// The four.
pub static CLASSIFICATIONS: &[Classification] = &[
    Classification {
        word: "scenario",
        name: ["By scenario", "按迁移场景"],
        about: ["The labels and the data that there are.", "看源域和目标域各有哪些数据和标签。"],
        groups: SCENARIOS,
    },
    Classification {
        word: "object",
        name: ["By what is carried over", "按迁移对象"],
        about: ["The part of the source that serves the target.", "看源域的什么东西被用到目标域。"],
        groups: OBJECTS,
    },
    Classification {
        word: "strategy",
        name: ["By strategy", "按迁移策略"],
        about: [
            "The family of the method, the columns that the domains have, the number of sources.",
            "看方法属于哪一族、两个域的特征是否相同、源域有几个。",
        ],
        groups: STRATEGIES,
    },
    Classification {
        word: "task",
        name: ["By task", "按任务类型"],
        about: ["The kind of label that is predicted.", "看要预测的标签是哪一种。"],
        groups: TASKS,
    },
];

const SCENARIOS: &[Group] = &[
    Group {
        name: ["inductive", "归纳式迁移"],
        about: [
            "Some target rows have labels, and the method cannot do without them.",
            "目标域有少量带标签的样本，方法离不开它们。",
        ],
        holds: |row| row.needs.target_labels == LabelUse::Required,
    },
    Group {
        name: ["inductive or transductive", "归纳式或直推式迁移"],
        about: [
            "The target may have no labels at all (transductive); where some rows have them, they are learnt from too \
             (inductive).",
            "目标域可以完全没有标签（直推式）；如果有一些，也会拿来学习（归纳式）。",
        ],
        holds: |row| row.needs.target_labels == LabelUse::Optional,
    },
    Group {
        name: ["transductive", "直推式迁移"],
        about: [
            "The source has labels; those of the target are not made use of.",
            "源域有标签，目标域的标签即使有也不使用。",
        ],
        holds: |row| row.needs.target_labels == LabelUse::Unused,
    },
    Group {
        name: ["source-free", "无源数据迁移"],
        about: [
            "A fitted source model is enough, without its rows.",
            "只要有训练好的源模型，不需要源域数据。",
        ],
        holds: |row| matches!(row.needs.source, SourceNeed::RowsOrModel | SourceNeed::Model),
    },
    Group {
        name: ["unsupervised", "无监督迁移"],
        about: [
            "Neither domain has labels. All methods here learn from labels, or from a model that did.",
            "两个域都没有标签。本工具的方法都要从标签学习，或者沿用由标签训练出的模型。",
        ],
        holds: |_| false,
    },
];

const OBJECTS: &[Group] = &[
    Group {
        name: ["instances", "基于样本"],
        about: [
            "Source rows are trained on, with more say for those that suit the target.",
            "直接用源域样本训练，越适合目标域的样本分量越重。",
        ],
        holds: |row| row.carried() == Carried::Instances,
    },
    Group {
        name: ["features", "基于特征"],
        about: [
            "A space is found in which both domains are alike, or source rows are moved to where the target's are.",
            "找到让两个域变得相近的特征空间，或者把源域样本搬到目标域样本所在的位置。",
        ],
        holds: |row| row.carried() == Carried::Features,
    },
    Group {
        name: ["parameters", "基于模型"],
        about: [
            "What a source model has learnt is gone on from: its parameters, its structure or its predictions.",
            "沿用源模型已经学到的东西：参数、结构或预测结果。",
        ],
        holds: |row| row.carried() == Carried::Parameters,
    },
    Group {
        name: ["relations", "基于关系"],
        about: [
            "Which rows go together is carried over: labels flow along a graph over the rows of both domains.",
            "迁移样本之间的关系：标签沿着连接两个域样本的图传播。",
        ],
        holds: |row| row.carried() == Carried::Relations,
    },
    Group {
        name: ["nothing", "不迁移"],
        about: ["For comparison: one domain alone is learnt from.", "只从一个域学习，用作对照。"],
        holds: |row| row.carried() == Carried::Nothing,
    },
];

const STRATEGIES: &[Group] = &[
    Group {
        name: ["baseline", "基线"],
        about: ["Learns from one domain alone, for comparison.", "只从一个域学习，用作对照。"],
        holds: |row| row.family == Family::Baseline,
    },
    Group {
        name: ["weighting", "样本加权"],
        about: ["Weighs source rows before the learner sees them.", "先给源域样本加权，再交给学习器训练。"],
        holds: |row| row.family == Family::Weighting,
    },
    Group {
        name: ["boosting", "提升"],
        about: ["Weighs rows anew, round by round.", "一轮一轮地调整样本权重。"],
        holds: |row| row.family == Family::Boosting,
    },
    Group {
        name: ["prior", "以源模型为先验"],
        about: ["Goes on from a source model.", "从源模型出发继续学习。"],
        holds: |row| row.family == Family::Prior,
    },
    Group {
        name: ["mapping", "特征映射"],
        about: ["Maps the rows of both domains into one space.", "把两个域的样本映射到同一个空间。"],
        holds: |row| row.family == Family::Mapping,
    },
    Group {
        name: ["transport", "最优传输"],
        about: [
            "Carries source rows, or their labels, to the target by a transport plan.",
            "按传输方案把源域样本或其标签搬到目标域。",
        ],
        holds: |row| row.family == Family::Transport,
    },
    Group {
        name: ["predictor", "直接预测"],
        about: [
            "Predicts the target rows in a way of its own, which knows of both domains.",
            "用专门的预测方法，同时利用两个域，直接预测目标域样本。",
        ],
        holds: |row| matches!(row.family, Family::Predictor(_)),
    },
    Group {
        name: ["homogeneous", "同构迁移"],
        about: ["Both domains have the same columns.", "两个域的特征相同。"],
        holds: |_| true, // every task has equal columns
    },
    Group {
        name: ["heterogeneous", "异构迁移"],
        about: ["The domains have different columns.", "两个域的特征不同。"],
        holds: |_| false,
    },
    Group {
        name: ["several sources", "多源迁移"],
        about: [
            "Tells several sources apart; the other methods join their rows.",
            "会区分多个源域；其余方法把各源域的数据合在一起。",
        ],
        holds: |row| row.needs.sources == Sources::Apart,
    },
    Group {
        name: ["one source model", "单个源模型"],
        about: [
            "Of source models it takes one only; rows of several sources are joined.",
            "源模型只接受一个；多个源域的数据会合并。",
        ],
        holds: |row| row.needs.sources == Sources::OneModel,
    },
];

const TASKS: &[Group] = &[
    Group {
        name: ["classification", "分类"],
        about: ["Predicts classes.", "预测类别。"],
        holds: |row| row.needs.goals != Goals::Values,
    },
    Group {
        name: ["regression", "回归"],
        about: ["Predicts numbers.", "预测数值。"],
        holds: |row| row.needs.goals != Goals::Classes,
    },
];

impl MethodRow {
    /// What it carries over from the source.
    pub fn carried(&self) -> Carried {
        match self.family {
            Family::Baseline => Carried::Nothing,
            Family::Weighting | Family::Boosting => Carried::Instances,
            Family::Prior => Carried::Parameters,
            Family::Mapping | Family::Transport => Carried::Features,
            Family::Predictor(carried) => carried,
        }
    }

    /// The groups of a classification that it belongs to.
    pub fn groups(&self, classification: &Classification) -> Vec<&'static Group> {
        classification.groups.iter().filter(|group| group.holds(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::method;

    #[test]
    fn every_method_has_its_place_in_each() {
        for classification in CLASSIFICATIONS {
            for row in METHODS {
                let groups = row.groups(classification);
                assert!(!groups.is_empty(), "{}: {}", row.name, classification.word);
                assert!(classification.word != "object" || groups.len() == 1, "{}", row.name);
            }
        }
        let places = |name: &str, word: &str| -> Vec<&str> {
            let groups = method(name).unwrap().groups(Classification::named(word).unwrap());
            groups.iter().map(|group| group.name[0]).collect()
        };
        assert_eq!(places("strut", "scenario"), ["inductive", "source-free"]);
        assert_eq!(places("coral", "scenario"), ["inductive or transductive"]);
        assert_eq!(places("statistics-reestimation", "scenario"), ["transductive", "source-free"]);
        assert_eq!(places("target-only", "object"), ["nothing"]);
        assert_eq!(places("lin-int", "object"), ["parameters"]);
        assert_eq!(places("label-spreading", "object"), ["relations"]);
        assert_eq!(places("gaussian-prior", "strategy"), ["prior", "homogeneous", "several sources"]);
        assert_eq!(places("tradaboost-r2", "task"), ["regression"]);
    }

    #[test]
    fn groups_are_told_once_in_two_languages() {
        for classification in CLASSIFICATIONS {
            for (i, group) in classification.groups.iter().enumerate() {
                assert!(classification.groups[..i].iter().all(|other| other.name[0] != group.name[0]));
                for [english, chinese] in [group.name, group.about, classification.name, classification.about]
                {
                    assert!(
                        english.is_ascii() && chinese.chars().all(|c| !c.is_ascii()),
                        "{english}: {chinese}"
                    );
                }
            }
        }
        let Err(unknown) = Classification::named("colour") else { panic!("there is none") };
        assert_eq!(unknown.to_string(), "unknown classification `colour`");
    }
}
