//! SIMD&FP rows of the table that have no form yet; see `pending`.

use a64::Insn;

use crate::lower::pending::pending;
use crate::lower::{Draft, Lower};

pending! {
    AESE_cryptoaes AESD_cryptoaes AESMC_cryptoaes AESIMC_cryptoaes SHA1C_cryptosha3 SHA1P_cryptosha3
    SHA1M_cryptosha3 SHA1SU0_cryptosha3 SHA256H_cryptosha3 SHA256H2_cryptosha3 SHA256SU1_cryptosha3
    SHA1H_cryptosha2 SHA1SU1_cryptosha2 SHA256SU0_cryptosha2 FMOV_floatdp1 FABS_floatdp1
    FNEG_floatdp1 FSQRT_floatdp1 FCVT_floatdp1 FRINTN_floatdp1 FRINTP_floatdp1 FRINTM_floatdp1
    FRINTZ_floatdp1 FRINTA_floatdp1 FRINTX_floatdp1 FRINTI_floatdp1 FMUL_floatdp2 FDIV_floatdp2
    FADD_floatdp2 FSUB_floatdp2 FMAX_floatdp2 FMIN_floatdp2 FMAXNM_floatdp2 FMINNM_floatdp2
    FNMUL_floatdp2 FMADD_floatdp3 FMSUB_floatdp3 FNMADD_floatdp3 FNMSUB_floatdp3 FCMP_floatcmp
    FCMP_zero_floatcmp FCMPE_floatcmp FCMPE_zero_floatcmp FCCMP_floatccmp FCCMPE_floatccmp
    FCSEL_floatsel FMOV_floatimm FCVTNS_float2int FCVTNU_float2int FCVTPS_float2int FCVTPU_float2int
    FCVTMS_float2int FCVTMU_float2int FCVTZS_float2int FCVTZU_float2int FCVTAS_float2int
    FCVTAU_float2int SCVTF_float2int UCVTF_float2int FMOV_to_float2int FMOV_from_float2int
    FMOV_to_high_float2int FMOV_from_high_float2int SCVTF_float2fix UCVTF_float2fix FCVTZS_float2fix
    FCVTZU_float2fix SHADD_asimdsame UHADD_asimdsame SQADD_asimdsame UQADD_asimdsame
    SRHADD_asimdsame URHADD_asimdsame SHSUB_asimdsame UHSUB_asimdsame SQSUB_asimdsame
    UQSUB_asimdsame SSHL_asimdsame USHL_asimdsame SQSHL_asimdsame UQSHL_asimdsame SRSHL_asimdsame
    URSHL_asimdsame SQRSHL_asimdsame UQRSHL_asimdsame SMAX_asimdsame UMAX_asimdsame SMIN_asimdsame
    UMIN_asimdsame SABD_asimdsame UABD_asimdsame SABA_asimdsame UABA_asimdsame SMAXP_asimdsame
    UMAXP_asimdsame SMINP_asimdsame UMINP_asimdsame CMGT_asimdsame CMHI_asimdsame CMGE_asimdsame
    CMHS_asimdsame ADD_asimdsame SUB_asimdsame CMTST_asimdsame CMEQ_asimdsame MLA_asimdsame
    MLS_asimdsame MUL_asimdsame PMUL_asimdsame SQDMULH_asimdsame SQRDMULH_asimdsame ADDP_asimdsame
    FMAXNM_asimdsame FMINNM_asimdsame FMLA_asimdsame FMLS_asimdsame FADD_asimdsame FSUB_asimdsame
    FMULX_asimdsame FCMEQ_asimdsame FMAX_asimdsame FMIN_asimdsame FRECPS_asimdsame FRSQRTS_asimdsame
    FMAXNMP_asimdsame FMINNMP_asimdsame FADDP_asimdsame FABD_asimdsame FMUL_asimdsame
    FCMGE_asimdsame FCMGT_asimdsame FACGE_asimdsame FACGT_asimdsame FMAXP_asimdsame FMINP_asimdsame
    FDIV_asimdsame AND_asimdsame BIC_asimdsame ORR_asimdsame ORN_asimdsame EOR_asimdsame
    BSL_asimdsame BIT_asimdsame BIF_asimdsame SADDL_asimddiff SADDW_asimddiff SSUBL_asimddiff
    SSUBW_asimddiff SABAL_asimddiff SABDL_asimddiff SMLAL_asimddiff SMLSL_asimddiff SMULL_asimddiff
    UADDL_asimddiff UADDW_asimddiff USUBL_asimddiff USUBW_asimddiff UABAL_asimddiff UABDL_asimddiff
    UMLAL_asimddiff UMLSL_asimddiff UMULL_asimddiff ADDHN_asimddiff RADDHN_asimddiff SUBHN_asimddiff
    RSUBHN_asimddiff SQDMLAL_asimddiff SQDMLSL_asimddiff SQDMULL_asimddiff PMULL_asimddiff
    REV64_asimdmisc REV16_asimdmisc REV32_asimdmisc SADDLP_asimdmisc UADDLP_asimdmisc
    SADALP_asimdmisc UADALP_asimdmisc SUQADD_asimdmisc USQADD_asimdmisc CLS_asimdmisc CLZ_asimdmisc
    CNT_asimdmisc NOT_asimdmisc RBIT_asimdmisc SQABS_asimdmisc SQNEG_asimdmisc CMGT_zero_asimdmisc
    CMGE_zero_asimdmisc CMEQ_zero_asimdmisc CMLE_zero_asimdmisc CMLT_zero_asimdmisc ABS_asimdmisc
    NEG_asimdmisc XTN_asimdmisc SQXTUN_asimdmisc SQXTN_asimdmisc UQXTN_asimdmisc SHLL_asimdmisc
    FCVTN_asimdmisc FCVTXN_asimdmisc FCVTL_asimdmisc FRINTN_asimdmisc FRINTP_asimdmisc
    FRINTM_asimdmisc FRINTZ_asimdmisc FRINTA_asimdmisc FRINTX_asimdmisc FRINTI_asimdmisc
    FCVTNS_asimdmisc FCVTPS_asimdmisc FCVTMS_asimdmisc FCVTZS_asimdmisc FCVTAS_asimdmisc
    SCVTF_asimdmisc FRECPE_asimdmisc FCVTNU_asimdmisc FCVTPU_asimdmisc FCVTMU_asimdmisc
    FCVTZU_asimdmisc FCVTAU_asimdmisc UCVTF_asimdmisc FRSQRTE_asimdmisc FABS_asimdmisc
    FNEG_asimdmisc FSQRT_asimdmisc FCMGT_zero_asimdmisc FCMEQ_zero_asimdmisc FCMLT_zero_asimdmisc
    FCMGE_zero_asimdmisc FCMLE_zero_asimdmisc URECPE_asimdmisc URSQRTE_asimdmisc SADDLV_asimdall
    UADDLV_asimdall SMAXV_asimdall UMAXV_asimdall SMINV_asimdall UMINV_asimdall ADDV_asimdall
    FMAXNMV_asimdall FMINNMV_asimdall FMAXV_asimdall FMINV_asimdall DUP_asimdins DUP_gen_asimdins
    SMOV_asimdins UMOV_asimdins INS_gen_asimdins INS_asimdins MOVI_32_asimdimm MOVI_16_asimdimm
    MOVI_msl_asimdimm MOVI_8_asimdimm MOVI_64_asimdimm MVNI_32_asimdimm MVNI_16_asimdimm
    MVNI_msl_asimdimm ORR_32_asimdimm ORR_16_asimdimm BIC_32_asimdimm BIC_16_asimdimm
    FMOV_single_asimdimm FMOV_double_asimdimm SSHR_asimdshf USHR_asimdshf SSRA_asimdshf
    USRA_asimdshf SRSHR_asimdshf URSHR_asimdshf SRSRA_asimdshf URSRA_asimdshf SRI_asimdshf
    SHL_asimdshf SLI_asimdshf SQSHLU_asimdshf SQSHL_asimdshf UQSHL_asimdshf SHRN_asimdshf
    RSHRN_asimdshf SQSHRN_asimdshf SQRSHRN_asimdshf SQSHRUN_asimdshf SQRSHRUN_asimdshf
    UQSHRN_asimdshf UQRSHRN_asimdshf SSHLL_asimdshf USHLL_asimdshf SCVTF_asimdshf UCVTF_asimdshf
    FCVTZS_asimdshf FCVTZU_asimdshf MUL_asimdelem MLA_asimdelem MLS_asimdelem SQDMULH_asimdelem
    SQRDMULH_asimdelem SMLAL_asimdelem UMLAL_asimdelem SMLSL_asimdelem UMLSL_asimdelem
    SMULL_asimdelem UMULL_asimdelem SQDMLAL_asimdelem SQDMLSL_asimdelem SQDMULL_asimdelem
    FMLA_asimdelem FMLS_asimdelem FMUL_asimdelem FMULX_asimdelem UZP1_asimdperm TRN1_asimdperm
    ZIP1_asimdperm UZP2_asimdperm TRN2_asimdperm ZIP2_asimdperm EXT_asimdext TBL_asimdtbl
    TBX_asimdtbl LD1_asisdlse LD2_asisdlse LD3_asisdlse LD4_asisdlse ST1_asisdlse ST2_asisdlse
    ST3_asisdlse ST4_asisdlse LD1_asisdlsep LD2_asisdlsep LD3_asisdlsep LD4_asisdlsep ST1_asisdlsep
    ST2_asisdlsep ST3_asisdlsep ST4_asisdlsep LD1_asisdlso LD2_asisdlso LD3_asisdlso LD4_asisdlso
    ST1_asisdlso ST2_asisdlso ST3_asisdlso ST4_asisdlso LD1R_asisdlso LD2R_asisdlso LD3R_asisdlso
    LD4R_asisdlso LD1_asisdlsop LD2_asisdlsop LD3_asisdlsop LD4_asisdlsop ST1_asisdlsop
    ST2_asisdlsop ST3_asisdlsop ST4_asisdlsop LD1R_asisdlsop LD2R_asisdlsop LD3R_asisdlsop
    LD4R_asisdlsop SQADD_asisdsame UQADD_asisdsame SQSUB_asisdsame UQSUB_asisdsame SSHL_asisdsame
    USHL_asisdsame SQSHL_asisdsame UQSHL_asisdsame SRSHL_asisdsame URSHL_asisdsame SQRSHL_asisdsame
    UQRSHL_asisdsame CMGT_asisdsame CMHI_asisdsame CMGE_asisdsame CMHS_asisdsame ADD_asisdsame
    SUB_asisdsame CMTST_asisdsame CMEQ_asisdsame SQDMULH_asisdsame SQRDMULH_asisdsame
    FMULX_asisdsame FCMEQ_asisdsame FRECPS_asisdsame FRSQRTS_asisdsame FCMGE_asisdsame
    FACGE_asisdsame FABD_asisdsame FCMGT_asisdsame FACGT_asisdsame SQDMLAL_asisddiff
    SQDMLSL_asisddiff SQDMULL_asisddiff SUQADD_asisdmisc USQADD_asisdmisc SQABS_asisdmisc
    SQNEG_asisdmisc CMGT_zero_asisdmisc CMGE_zero_asisdmisc CMEQ_zero_asisdmisc CMLE_zero_asisdmisc
    CMLT_zero_asisdmisc ABS_asisdmisc NEG_asisdmisc SQXTN_asisdmisc SQXTUN_asisdmisc UQXTN_asisdmisc
    FCVTXN_asisdmisc FCVTNS_asisdmisc FCVTMS_asisdmisc FCVTAS_asisdmisc SCVTF_asisdmisc
    FCVTPS_asisdmisc FCVTZS_asisdmisc FRECPE_asisdmisc FRECPX_asisdmisc FCVTNU_asisdmisc
    FCVTMU_asisdmisc FCVTAU_asisdmisc UCVTF_asisdmisc FCVTPU_asisdmisc FCVTZU_asisdmisc
    FRSQRTE_asisdmisc FCMGT_zero_asisdmisc FCMEQ_zero_asisdmisc FCMLT_zero_asisdmisc
    FCMGE_zero_asisdmisc FCMLE_zero_asisdmisc ADDP_asisdpair FMAXNMP_asisdpair FMINNMP_asisdpair
    FADDP_asisdpair FMAXP_asisdpair FMINP_asisdpair DUP_asisdone SSHR_asisdshf USHR_asisdshf
    SSRA_asisdshf USRA_asisdshf SRSHR_asisdshf URSHR_asisdshf SRSRA_asisdshf URSRA_asisdshf
    SRI_asisdshf SHL_asisdshf SLI_asisdshf SQSHLU_asisdshf SQSHL_asisdshf UQSHL_asisdshf
    SQSHRN_asisdshf SQRSHRN_asisdshf SQSHRUN_asisdshf SQRSHRUN_asisdshf UQSHRN_asisdshf
    UQRSHRN_asisdshf SCVTF_asisdshf UCVTF_asisdshf FCVTZS_asisdshf FCVTZU_asisdshf SQDMLAL_asisdelem
    SQDMLSL_asisdelem SQDMULL_asisdelem SQDMULH_asisdelem SQRDMULH_asisdelem FMLA_asisdelem
    FMLS_asisdelem FMUL_asisdelem FMULX_asisdelem
}
