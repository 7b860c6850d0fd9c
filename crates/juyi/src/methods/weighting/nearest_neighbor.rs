//! Stub.
#[derive(Debug, Clone, Copy, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NearestNeighbor {}
impl crate::methods::Method for NearestNeighbor {
    fn fit(
        &self,
        _: &crate::data::Task,
        _: &dyn crate::learners::Learner,
        _: &mut crate::context::Context,
    ) -> crate::error::Result<crate::methods::Fitted> {
        unimplemented!()
    }
}
