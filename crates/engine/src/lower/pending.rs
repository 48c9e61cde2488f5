//! Rows of the table that have no form yet: the guest gets an undefined
//! instruction. A row that is in neither this list nor another file of
//! `lower` stops the build. The SIMD&FP rows are in `pending_fp`.

use a64::Insn;

use crate::lower::{Draft, Lower};

macro_rules! pending {
    ($($name:ident)*) => {
        $(
            pub(in crate::lower) fn $name(i: Insn, c: &mut Lower<'_>) -> Draft {
                c.undefined(i)
            }
        )*

        /// The rows of this list, by name.
        pub(crate) const PENDING: &[&str] = &[$(stringify!($name)),*];
    };
}
pub(super) use pending;

pending! {
    ADR_pcreladdr ADRP_pcreladdr ADD_addsub_imm ADDS_addsub_imm SUB_addsub_imm SUBS_addsub_imm
    AND_log_imm ORR_log_imm EOR_log_imm ANDS_log_imm MOVN_movewide MOVZ_movewide MOVK_movewide
    SBFM_bitfield BFM_bitfield UBFM_bitfield EXTR_extract UDIV_dp_2src SDIV_dp_2src LSLV_dp_2src
    LSRV_dp_2src ASRV_dp_2src RORV_dp_2src CRC32_dp_2src CRC32C_dp_2src RBIT_dp_1src REV16_dp_1src
    REV_32_dp_1src REV32_dp_1src REV_64_dp_1src CLZ_dp_1src CLS_dp_1src AND_log_shift BIC_log_shift
    ORR_log_shift ORN_log_shift EOR_log_shift EON_log_shift ANDS_log_shift BICS_log_shift
    ADD_addsub_shift ADDS_addsub_shift SUB_addsub_shift SUBS_addsub_shift ADD_addsub_ext
    ADDS_addsub_ext SUB_addsub_ext SUBS_addsub_ext ADC_addsub_carry ADCS_addsub_carry
    SBC_addsub_carry SBCS_addsub_carry CCMN_condcmp_reg CCMP_condcmp_reg CCMN_condcmp_imm
    CCMP_condcmp_imm CSEL_condsel CSINC_condsel CSINV_condsel CSNEG_condsel MADD_dp_3src
    MSUB_dp_3src SMADDL_dp_3src SMSUBL_dp_3src SMULH_dp_3src UMADDL_dp_3src UMSUBL_dp_3src
    UMULH_dp_3src
}
