#!/usr/bin/env bash
# The run behind the shipped model.
#   bash recipes/all.sh DATA [OUT]
# DATA holds images/, poems/, pairs/ and experts/ (see recipes/README.md); OUT
# (default: out) gets one run directory a step. A step that has finished is
# skipped, one that was interrupted goes on where it was. PYTHON has
# ".[train,evaluate]", ADVERSARIAL_PYTHON ".[train,adversarial,serve]", the last
# for the warm-up requests of the export (README.md).
set -euo pipefail
recipes=$(cd "$(dirname "$0")" && pwd)
data=$(cd "$1" && pwd)
mkdir -p "${2:-out}" && cd "${2:-out}"
export PYTHONPATH="$recipes/..${PYTHONPATH:+:$PYTHONPATH}"
export TF_CPP_MIN_LOG_LEVEL=3
python=${PYTHON:-python}
adversarial_python=${ADVERSARIAL_PYTHON:-$python}

step() { # step RECIPE RUN_DIR OPTIONS...
    [ -e "$2/FINISHED" ] && return
    resume=$([ -e "$2/config.json" ] && echo --resume || true)
    started=$(date +%s)
    "$python" "$recipes/$1.py" --run-dir "$2" $resume "${@:3}"
    touch "$2/FINISHED"
    echo "$1 $2: $(($(date +%s) - started)) s" | tee -a times.txt
}
pictures=("$data"/images/*.tar)
experts=(--corpus-dir corpus --features-dir features)

step prepare_corpus corpus --vocabulary-size 10000 \
    --poems "$data"/poems/{english-poems,gutenberg-stanzas,multim-poem,haiku}.jsonl.gz \
    --forms verse verse free haiku \
    --pairs "$data"/pairs/*.jsonl.gz \
    --captions "$data"/images/*.jsonl "$data"/images/*.csv
step extract_features features --photographs "${pictures[@]}" --num-crops 3 \
    --object "$data/experts/object" --scene "$data/experts/scene"
step train_expert features/sentiment "${experts[@]}"
step train_embedding embedding "${experts[@]}" --num-steps 2500
step pretrain_generator generator_poems "${experts[@]}" \
    --embedding-dir embedding --hidden-dim 768 --pair-share 0.1
step pretrain_generator generator "${experts[@]}" --embedding-dir embedding \
    --hidden-dim 768 --pair-share 0.5 --num-steps 1500 --learning-rate 5e-4 \
    --warmup-steps 100 --start-from generator_poems/generator.keras
step distill_visual_encoder encoder "${experts[@]}" \
    --photographs "${pictures[@]}" --num-steps 10000 \
    --image-tower embedding/image_tower.keras
step train_embedding embedding_small --corpus-dir corpus \
    --features-dir encoder --poem-tower embedding/poem_tower.keras \
    --num-steps 1500
small=(--corpus-dir corpus --features-dir encoder
    --embedding-dir embedding_small)
prose=(--paragraphs "$data/poems/paragraphs.jsonl.gz")
step train_clues embedding_small/clues "${small[@]}"
step pretrain_discriminator discriminators/multimodal "${small[@]}" \
    "${prose[@]}" --discriminator multimodal --generator generator/generator.keras \
    --max-tokens 60 --dropout 0.4 --caption-share 0.5 --num-samples 12000 \
    --num-steps 1500
step pretrain_discriminator discriminators/poem_style "${small[@]}" \
    "${prose[@]}" --discriminator poem_style --generator generator/generator.keras \
    --max-tokens 60 --word-dim 128 --dropout 0.3 --num-samples 20000 \
    --num-steps 1000
# The reward reads out/corpus.
mkdir -p out && ln -sfn ../corpus out/corpus
python=$adversarial_python PYTHONPATH="$recipes:$PYTHONPATH" \
    step train_adversarial adversarial \
    "${small[@]}" "${prose[@]}" --generator generator/generator.keras \
    --discriminators-dir discriminators --max-tokens 60 --num-steps 400 \
    --batch-size 48 --learning-rate 2e-4 --paired-weight 0.5 \
    --caption-share 0.5 --teacher-weight 0 --kl-weight 0.1 --log-interval 10 \
    --rewards caption_reward.shares_words=4 --interpolation 0.5
written=(--generator adversarial/generator.keras)
python=$adversarial_python step export export "${small[@]}" "${written[@]}" \
    --discriminators-dir adversarial --model poet/2
step evaluate evaluation "${experts[@]}" --photographs "${pictures[@]}" \
    --model poet/2 "${written[@]}" --generator-config generator/config.json
"$python" "$recipes/write_model_card.py" --export-dir export \
    --evaluation evaluation/results.json --notes "$recipes/shipped_notes.md"
[ -e savedmodels/visualpoet/2 ] || "$adversarial_python" -m visualpoet export \
    savedmodels --model poet/2 --name visualpoet --version 2
