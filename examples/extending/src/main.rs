//! Lists the posts of the user pool whose access key the environment has.

use extending::posts::Operations as _;

#[tokio::main]
async fn main() -> Result<(), genauth::Error> {
    let client = genauth::Client::from_env()?;
    let mut posts = client.list_posts().items();
    while let Some(post) = posts.next().await {
        let post = post?;
        println!("{}: {}", post.code, post.name);
    }
    Ok(())
}
