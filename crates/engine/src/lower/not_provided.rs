//! Rows of features that no machine provides, so that there is no form for
//! them: the guest gets an undefined instruction. The rows name their features,
//! `machine::features::NOT_PROVIDED` lists those.

use a64::Insn;

use crate::lower::{Draft, Lower};

macro_rules! not_provided {
    ($($name:ident)*) => {
        /// The rows of this list, by name.
        pub(super) const NOT_PROVIDED: &[&str] = &[$(stringify!($name)),*];

        $(pub(in crate::lower) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
            c.undefined(i)
        })*
    };
}

not_provided! {
    BC_condbranch TCANCEL_exception TCOMMIT_barriers TSTART_systemresult TTEST_systemresult DSB_nxs_barriers
    SUBP_dp_2src SUBPS_dp_2src IRG_dp_2src GMI_dp_2src ADDG_addsub_immtags SUBG_addsub_immtags STG_post_ldsttags
    STG_off_ldsttags STG_pre_ldsttags STZG_post_ldsttags STZG_off_ldsttags STZG_pre_ldsttags ST2G_post_ldsttags
    ST2G_off_ldsttags ST2G_pre_ldsttags STZ2G_post_ldsttags STZ2G_off_ldsttags STZ2G_pre_ldsttags LDG_ldsttags
    STZGM_ldsttags STGM_ldsttags LDGM_ldsttags STGP_ldstpair_post STGP_ldstpair_off STGP_ldstpair_pre
    CPYF_memcms CPY_memcms SET_memcms SETG_memcms ST64B_memop ST64BV0_memop ST64BV_memop LD64B_memop
}
