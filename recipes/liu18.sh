#!/usr/bin/env bash
# The paper's eight methods and its lambda curve, three seeds each.
#   bash recipes/liu18.sh DATA [OUT] [small|paper|smoke]
# DATA as for all.sh, with poems/haiku.jsonl.gz and pairs/*-haiku.jsonl.gz for
# `small`, poems/english-poems, poems/multim-poem and pairs/*-poems (.jsonl.gz)
# for `paper`, and poems/paragraphs.jsonl.gz; OUT (default: out) holds all.sh's
# run directories features and encoder, and gets liu18/. `small` is what two
# cores can train, on haiku, which are short, so that the same cores write many;
# `paper` has the sizes of the paper, and verse. A step that has finished is
# skipped, one that was interrupted goes on where it was.
set -euo pipefail
recipes=$(cd "$(dirname "$0")" && pwd)
data=$(cd "$1" && pwd)
mkdir -p "${2:-out}/liu18" && cd "${2:-out}/liu18"
preset=${3:-small}
export PYTHONPATH="$recipes/..${PYTHONPATH:+:$PYTHONPATH}"
export TF_CPP_MIN_LOG_LEVEL=3
python=${PYTHON:-python}
seeds=${SEEDS-0 1 2} # none: only what all seeds share
# liu18 takes the likeliest token each time; generators of this size then loop
# ("And the little boy, / And the little boy, ..."), whatever the method.
decoding="--temperature 0.7"
pictures=("$data"/images/*.tar)
poems=("$data"/poems/{english-poems,multim-poem}.jsonl.gz)
pairs=("$data"/pairs/*-poems.jsonl.gz)
case $preset in
small)
    poems=("$data"/poems/haiku.jsonl.gz) pairs=("$data"/pairs/*-haiku.jsonl.gz)
    vocabulary=5000 embedding_steps=1500
    generator="--embedding-dim 192 --hidden-dim 256 --num-steps 3000
        --sampled-tokens 1024 --max-tokens 28 --max-unknown 0"
    hierarchical="--embedding-dim 192 --hidden-dim 256 --num-steps 3000
        --max-unknown 0 --max-lines 4"
    discriminators="--num-steps 600 --max-tokens 28 --max-unknown 0"
    style="--num-steps 1800 --hidden-dim 384 --dropout 0.2 --num-samples 18000
        --max-tokens 28 --max-unknown 0"
    # A generator that collapses is to be seen in the table.
    adversarial="--num-steps 1563 --max-tokens 28 --max-unknown 0 --need-end
        --log-interval 50 --min-entropy 0 --min-distinct 0"
    decoding="$decoding --max-tokens 28"
    ;;
paper)
    vocabulary=26867 embedding_steps=5000
    generator="--embedding-dim 512 --hidden-dim 512 --num-steps 20000
        --sampled-tokens 2048 --max-tokens 70"
    hierarchical="--embedding-dim 512 --hidden-dim 512 --num-steps 20000"
    discriminators="--num-steps 5000 --hidden-dim 512 --max-tokens 70"
    style="$discriminators --dropout 0.2 --num-samples 18000"
    adversarial="--num-steps 5000 --max-tokens 70 --learning-rate 5e-6
        --need-end"
    decoding="--max-tokens 70"
    ;;
smoke)
    vocabulary=300 embedding_steps=4
    generator="--embedding-dim 8 --hidden-dim 9 --num-steps 3 --batch-size 4
        --warmup-steps 1 --sampled-tokens 0 --max-tokens 40"
    hierarchical="--embedding-dim 8 --hidden-dim 9 --num-steps 2 --batch-size 4"
    discriminators="--num-steps 2 --hidden-dim 8 --max-tokens 40 --num-samples 8
        --batch-size 4 --min-similarity 0 --max-unknown 1"
    style=$discriminators
    adversarial="--num-steps 2 --max-tokens 40 --batch-size 4 --log-interval 1
        --min-similarity 0 --max-unknown 1 --min-entropy 0 --min-distinct 0"
    ;;
*) echo "expected small, paper or smoke. Received: $preset" >&2 && exit 2 ;;
esac

step() { # step RECIPE RUN_DIR OPTIONS...
    [ -e "$2/FINISHED" ] && return
    resume=$([ -e "$2/config.json" ] && echo --resume || true)
    started=$(date +%s)
    "$python" "$recipes/$1.py" --run-dir "$2" $resume "${@:3}"
    touch "$2/FINISHED"
    echo "$1 $2: $(($(date +%s) - started)) s" | tee -a times.txt
}
write() { # write METHOD_DIR GENERATOR OPTIONS...
    [ -e "$1/poems.jsonl" ] && return
    "$python" "$recipes/write_poems.py" "${given[@]}" --generator "$2" \
        --output "$1/poems.jsonl" --seed "$seed" $decoding "${@:3}"
}
given=(--corpus-dir corpus --features-dir ../features --embedding-dir embedding)
for file in "${poems[@]}" "${pairs[@]}" "$data"/poems/paragraphs.jsonl.gz; do
    [ -e "$file" ] && continue
    echo "expected $file. See the head of liu18.sh" >&2 && exit 2
done
prose=(--paragraphs "$data/poems/paragraphs.jsonl.gz")

step prepare_corpus corpus --vocabulary-size $vocabulary \
    --poems "${poems[@]}" --pairs "${pairs[@]}" \
    --captions "$data"/images/*.jsonl "$data"/images/*.csv
step train_embedding embedding --corpus-dir corpus --features-dir ../features \
    --num-steps $embedding_steps
step extract_regions regions --photographs "${pictures[@]}" \
    --encoder ../encoder/encoder.keras

for seed in $seeds; do
    # Show and Tell, and I2P-GAN before the adversarial training.
    for method in no_discriminator/joint show_and_tell_1cnn/object \
        show_and_tell_3cnn/experts; do
        folder=${method%/*}/seed$seed image_input=${method#*/}
        step pretrain_generator "$folder" "${given[@]}" $generator \
            --conditioning first_state --image-input $image_input --no-own-place \
            --extra-pairs 0 --pair-share 0.9 --leave-out --seed $seed
        write "$folder" "$folder/generator.keras" --image-input $image_input
    done
    first=no_discriminator/seed$seed/generator.keras
    step pretrain_hierarchical regions_hierarchical/seed$seed \
        --corpus-dir corpus --regions regions/regions.npz $hierarchical \
        --seed $seed
    write regions_hierarchical/seed$seed \
        regions_hierarchical/seed$seed/hierarchical.keras \
        --regions regions/regions.npz
    for discriminator in multimodal poem_style real_or_generated; do
        case $discriminator in
        multimodal) options="$discriminators --dropout 0.5" ;;
        poem_style) options=$style ;;
        *) options=$discriminators ;;
        esac
        step pretrain_discriminator discriminators/seed$seed/$discriminator \
            "${given[@]}" "${prose[@]}" --discriminator $discriminator --generator $first \
            $options --leave-out --seed $seed
    done
    # The discriminators of each method, and lambda.
    for method in i2p_gan/0.8 with_dm/1 with_dp/0 seqgan/- pairing_apart/0.8 \
        lambda_0.5/0.5 lambda_0.2/0.2; do
        folder=${method%/*}/seed$seed
        case ${method%/*} in
        with_dm) against="--discriminators multimodal" ;;
        with_dp) against="--discriminators poem_style" ;;
        seqgan) against="--discriminators real_or_generated" ;;
        pairing_apart) against="--pairing-share 0.8" ;;
        *) against="--paired-weight ${method#*/}" ;;
        esac
        step train_adversarial "$folder" "${given[@]}" "${prose[@]}" \
            --generator $first --discriminators-dir discriminators/seed$seed \
            $adversarial $against --leave-out --seed $seed
        write "$folder" "$folder/generator.keras"
    done
done
