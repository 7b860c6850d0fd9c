//! Stub.
use super::Learner;
#[derive(Debug, Clone, Copy, Default)]
pub struct Ridge;
impl Learner for Ridge {
    fn name(&self) -> &'static str {
        "ridge"
    }
    fn regresses(&self) -> bool {
        true
    }
    fn fit(
        &self,
        _: faer::MatRef<'_, f64>,
        _: &crate::data::Labels,
        _: &[f64],
        _: usize,
        _: &mut crate::context::Context,
    ) -> crate::error::Result<crate::models::Predictor> {
        unimplemented!()
    }
}
