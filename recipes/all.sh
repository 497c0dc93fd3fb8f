#!/usr/bin/env bash
# From data to an exported poet, as the shipped model was trained.
#   [SIZE=small] [ENGLISH=no] [LEVEL=character] bash recipes/all.sh DATA [OUT]
# SIZE=small is for a first try of any data: with 17,000 photographs it writes
# after 40 minutes on two slow cores. The other is full. ENGLISH=no is for texts
# in another language, LEVEL=character for those without blanks between words.
# DATA holds images/, poems/, pairs/ and experts/ (see recipes/README.md); OUT
# (default: out) gets one run directory a step. A step that has finished is
# skipped, one that was interrupted goes on where it was. PYTHON has
# ".[train,evaluate]", SERVING_PYTHON ".[train,serve]", for the warm-up requests
# of the export (recipes/README.md).
set -euo pipefail
shopt -s extglob nullglob
recipes=$(cd "$(dirname "$0")" && pwd)
data=$(cd "$1" && pwd)
mkdir -p "${2:-out}" && cd "${2:-out}"
export PYTHONPATH="$recipes/..${PYTHONPATH:+:$PYTHONPATH}"
export TF_CPP_MIN_LOG_LEVEL=3
python=${PYTHON:-python}
serving_python=${SERVING_PYTHON:-$python}

english=() sentences=() level=(${LEVEL:+--level "$LEVEL"})
if [ "${ENGLISH:-yes}" = no ]; then
    english=(--no-english) sentences=(--no-sentences)
fi

folds=(0 1) # of photographs that a tower does not learn from
case ${SIZE:=full} in
full)
    crops=4 embedding=2500 fold=1000 encoder=10000 embedding_small=1500
    encoder_larger=6000
    fold_small=700 width=768 poems_steps=10000 pairs_steps=600
    evaluation=()
    ;;
small)
    crops=1 embedding=1000 encoder=2000 embedding_small=500 folds=()
    encoder_larger=0
    width=512 poems_steps=1800 pairs_steps=300
    evaluation=(--num-photographs 300 --num-uncaptioned 0)
    ;;
*) echo "expected SIZE small or full. Received: $SIZE" >&2 && exit 2 ;;
esac
[ -e size ] || echo "$SIZE" >size
if [ "$(cat size)" != "$SIZE" ]; then
    echo "expected SIZE=$(cat size), as OUT was begun with, or another OUT." \
        "Received: $SIZE" >&2
    exit 2
fi

step() { # step RECIPE RUN_DIR OPTIONS...
    [ -e "$2/FINISHED" ] && return
    resume=$([ -e "$2/config.json" ] && echo --resume || true)
    started=$(date +%s)
    "$python" "$recipes/$1.py" --run-dir "$2" $resume "${@:3}"
    touch "$2/FINISHED"
    echo "$1 $2: $(($(date +%s) - started)) s" | tee -a times.txt
}
pictures=("$data"/images/*.tar)
# Each file of poems with its form; the paragraphs are prose.
poems=("$data"/poems/!(haiku|paragraphs).jsonl.gz "$data"/poems/haik[u].jsonl.gz)
forms=()
for file in "${poems[@]}"; do
    case ${file##*/} in
    haiku.*) forms+=(haiku) ;;
    multim-poem.*) forms+=(free) ;;
    *) forms+=(verse) ;;
    esac
done
evaluated=()
for form in haiku verse; do
    if [[ " ${forms[*]} " = *" $form "* ]]; then evaluated+=($form); fi
done
experts=(--corpus-dir corpus --features-dir features)

step prepare_corpus corpus --vocabulary-size 10000 "${level[@]}" \
    --poems "${poems[@]}" --forms "${forms[@]}" \
    --pairs "$data"/pairs/*.jsonl.gz \
    --captions "$data"/images/*.jsonl "$data"/images/*.csv
step extract_features features --photographs "${pictures[@]}" \
    --num-crops $crops \
    --object "$data/experts/object" --scene "$data/experts/scene"
step train_expert features/sentiment "${experts[@]}" "${english[@]}"
step train_embedding embedding "${experts[@]}" --num-steps $embedding
for number in "${folds[@]}"; do
    step train_embedding embedding/fold$number "${experts[@]}" \
        --poem-tower embedding/poem_tower.keras --num-steps $fold \
        --num-folds 2 --left-out-fold $number
done
step pretrain_generator generator_poems "${experts[@]}" \
    --embedding-dir embedding --folds "${folds[@]/#/embedding/fold}" \
    --hidden-dim $width --pair-share 0.1 --extra-pairs 0 --max-unknown 0.15 \
    --num-steps $poems_steps
distill() { # distill RUN_DIR OPTIONS...
    step distill_visual_encoder "$1" "${experts[@]}" \
        --photographs "${pictures[@]}" --num-crops $crops \
        --image-tower embedding/image_tower.keras "${@:2}"
}
if [ $encoder_larger = 0 ]; then
    distill encoder --num-steps $encoder
else # On small pictures first, which take a quarter of the time.
    distill encoder_128 --num-steps $encoder
    distill encoder --start-from encoder_128/encoder.keras --image-size 160 \
        --depths 1 1 2 1 --num-steps $encoder_larger --learning-rate 1e-3
fi
small=(--corpus-dir corpus --features-dir encoder)
# Captions, where there are any, say what is to be seen; poems are mined.
places=("${small[@]}" --poem-tower embedding/poem_tower.keras --caption-share 1
    --hidden-dim 1024)
step train_embedding embedding_small "${places[@]}" --num-steps $embedding_small
for number in "${folds[@]}"; do
    step train_embedding embedding_small/fold$number "${places[@]}" \
        --num-steps $fold_small --num-folds 2 --left-out-fold $number
done
small+=(--embedding-dir embedding_small)
step train_clues embedding_small/clues "${small[@]}"
# As the shipped encoder sees, so that training meets what writing meets.
step pretrain_generator generator "${small[@]}" \
    --folds "${folds[@]/#/embedding_small/fold}" --hidden-dim $width \
    --pair-share 0.3 --extra-pairs 0 --max-unknown 0.15 --dropout 0.3 \
    --num-steps $pairs_steps --learning-rate 6e-4 --warmup-steps 50 \
    --ema-momentum 0.99 \
    --start-from generator_poems/generator.keras
written=(--generator generator/generator.keras)
export_poet() { # export_poet RUN_DIR MODEL
    python=$serving_python step export "$1" "${small[@]}" "${written[@]}" \
        --form ${evaluated[0]} --extra-pairs 0 --model "$2"
}
if [ "$SIZE" = full ] && [ -e corpus/results.json ]; then
    # Lines that come for too many photographs are counted and lose.
    export_poet drafts/export poet/2
    step evaluate drafts/poems "${experts[@]}" --split train \
        --photographs "${pictures[@]}" --model poet/2 --candidates 64 \
        --num-photographs 1000 --num-uncaptioned 500 \
        --no-sentences --no-perplexity
    python=$serving_python step export_again export --base poet/2 \
        --drafts drafts/poems/poems*.jsonl --model poet/3
else
    export_poet export poet/3
fi
# By captions alone: labels say too little of a photograph.
[ -e corpus/results.json ] || evaluated=()
for form in "${evaluated[@]}"; do
    step evaluate evaluation_$form "${experts[@]}" \
        --photographs "${pictures[@]}" --model poet/3 "${written[@]}" \
        --form $form "${evaluation[@]}" "${sentences[@]}"
done
results=("${evaluated[@]/#/evaluation_}")
"$python" "$recipes/write_model_card.py" --export-dir export \
    --evaluation "${results[@]/%//results.json}"
[ -e savedmodels/visualpoet/3 ] || "$serving_python" -m visualpoet export \
    savedmodels --model poet/3 --name visualpoet --version 3
