//! Lists the groups of the user pool whose access key the environment has.

use extending::groups::Operations as _;

#[tokio::main]
async fn main() -> Result<(), genauth::Error> {
    let client = genauth::Client::from_env()?;
    let page = client.list_groups().page(1).limit(10).send().await?;
    println!("{} groups, of which the first are:", page.total_count);
    for group in &page.list {
        println!("{}: {}", group.code, group.name);
    }
    Ok(())
}
