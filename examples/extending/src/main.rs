//! Lists the posts of the user pool whose access key the environment has.

use extending::posts::Operations as _;

#[tokio::main]
async fn main() -> Result<(), genauth::Error> {
    let client = genauth::Client::from_env()?;
    let page = client.list_posts().page(1).limit(10).send().await?;
    println!("{} posts, of which the first are:", page.total_count);
    for post in &page.list {
        println!("{}: {}", post.code, post.name);
    }
    Ok(())
}
