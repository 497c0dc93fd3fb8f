#!/usr/bin/env bash
# From corpus to poem on tiny data, in a few minutes: does the path still hold?
#   bash recipes/smoke.sh [FOLDER]     (default: a new temporary folder)
set -euo pipefail
recipes=$(cd "$(dirname "$0")" && pwd)
export PYTHONPATH="$recipes/..${PYTHONPATH:+:$PYTHONPATH}"
export TF_CPP_MIN_LOG_LEVEL=3
python=${PYTHON:-python}
cd "${1:-$(mktemp -d)}"

run() { "$python" "$recipes/$1.py" "${@:2}"; }

run render_pictures --count 4 --size 120
run smoke_data
run prepare_corpus --poems out/data/poems.jsonl --pairs out/data/pairs.csv \
    --captions out/data/captions.jsonl --vocabulary-size 300 &
prepared=$!
run extract_features --photographs out/pictures --object out/data/object \
    --scene out/data/scene --num-crops 1
wait $prepared
run train_expert --num-steps 20 --num-words 8 --hidden-dim 8 --batch-size 4
run distill_visual_encoder --photographs out/pictures --num-crops 1 \
    --image-size 64 --depths 1 1 2 1 \
    --num-steps 3 --warmup-steps 1 --batch-size 4 &
distilled=$!
run train_embedding --embedding-dim 16 --word-dim 16 \
    --hidden-dim 16 --num-steps 40 --batch-size 4
wait $distilled
run train_embedding --features-dir out/encoder --embedding-dim 16 \
    --hidden-dim 16 --poem-tower out/embedding/poem_tower.keras \
    --num-steps 20 --batch-size 4 --run-dir out/embedding_small &
embedded=$!
clues="--min-photographs 1 --min-count 1 --max-frequency 1 --num-steps 20
    --batch-size 4"
run train_clues $clues --features-dir out/features \
    --embedding-dir out/embedding --run-dir out/embedding/clues
wait $embedded
run train_clues $clues &
clued=$!
small="--embedding-dim 16 --hidden-dim 24 --batch-size 8 --warmup-steps 5
    --sampled-tokens 60 --extra-pairs 1 --max-unknown 1"
run pretrain_generator $small --num-steps 60 \
    --run-dir out/generator_poems
wait $clued
run pretrain_generator $small --num-steps 30 --pair-share 0.5 \
    --start-from out/generator_poems/generator.keras
run export --features-dir out/features --embedding-dir out/embedding \
    --model out/poet_experts/1 --run-dir out/export_experts &
exported=$!
run export
wait $exported
poem() { "$python" -m visualpoet "$1" out/pictures/sea-0.jpg "${@:2}"; }
poem write --model out/poet_experts > poem_experts.txt &
with_experts=$!
run evaluate --photographs out/pictures --num-photographs 4 --others 3 \
    --no-sentences
wait $with_experts
poem find --model out/poet --poems out/data/poems.jsonl > found.txt &
found=$!
run write_model_card
wait $found
cat poem_experts.txt
poem write --model out/poet
cat found.txt
