//! Writers, subscribers and crashes, drawn from a seed and compared with a model of the log step by step.
//!
//! A failure prints its seed; `CHARTHOUSE_TEST_SEED=… cargo test simulated` runs that one again.

mod model;
mod world;

use self::world::World;

const SEEDS: std::ops::Range<u64> = 0..12;
const STEPS: u32 = 60;

/// Names the seed when the run it is part of fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the simulation failed with CHARTHOUSE_TEST_SEED={}", self.0);
        }
    }
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("CHARTHOUSE_TEST_SEED") {
        Ok(seed) => {
            let seed = seed.parse().unwrap();
            seed..seed + 1
        }
        Err(_) => SEEDS,
    }
}

async fn run(mut world: World) {
    for _ in 0..STEPS {
        world.step().await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_simulated_history_equals_its_model_in_sqlite() {
    for seed in seeds() {
        let _named = Seed(seed);
        run(World::sqlite(seed).await).await;
    }
}

#[tokio::test]
async fn a_simulated_history_equals_its_model_in_postgres() {
    for seed in seeds() {
        let _named = Seed(seed);
        run(World::postgres(seed).await).await;
    }
}
