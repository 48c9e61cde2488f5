use testkit::oracle::coverage::{Options, run};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let groups = ["fp", "simd", "simd_scalar", "simd_ldst", "crypto"];
    let o = Options { per_row: a[1].parse().unwrap(), seed: a[2].parse().unwrap(), sequences: 0, filter: a.get(3).cloned().unwrap_or_default(), show: 2, ..Options::default() };
    let r = run(&o, std::path::Path::new("/tmp/oracle-c")).unwrap();
    let mut bad = 0;
    for (e, t) in &r.rows { if groups.contains(&e.row().group) && t.agree != t.cases { bad += 1; println!("{} {}/{} undef {}", e.name(), t.agree, t.cases, t.undefined); } }
    println!("{bad} rows differ of {}", r.rows.len());
    for block in r.differences.split("\n\n") { println!("{block}\n"); }
}
