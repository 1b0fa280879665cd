fn main() {
    genauth_codegen::build("fragments");
}
