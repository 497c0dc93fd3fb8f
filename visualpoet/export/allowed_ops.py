"""The ops that an export may have: all of them compute from what they get.

None reads or writes a file, a network or a clock, runs Python, prints, or
keeps anything from one request to the next but variables and tables. A core
op that is missing here and does nothing of this may be added.
"""

_CALLS = """
    Assert Case Enter Exit Identity IdentityN If LoopCond Merge NextIteration
    NoOp PartitionedCall Placeholder PlaceholderWithDefault PreventGradient
    StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile
    StopGradient Switch While
"""
_STATE = """
    AssignAddVariableOp AssignSubVariableOp AssignVariableOp DisableCopyOnRead
    HashTableV2 LookupTableFindV2 LookupTableImportV2 LookupTableSizeV2
    ReadVariableOp ResourceGather ResourceGatherNd VarHandleOp
    VarIsInitializedOp
"""
_DATASETS = """
    BatchDatasetV2 ConcatenateDataset DatasetToSingleElement FilterDataset
    FlatMapDataset IgnoreErrorsDataset MapDataset RangeDataset ReduceDataset
    RepeatDataset RewriteDataset SkipDataset TakeDataset TensorDataset
    TensorSliceDataset ZipDataset
"""
_MATHS = """
    Abs AccumulateNV2 Acos Acosh Add AddN AddV2 All Any ApproximateEqual
    ArgMax ArgMin Asin Asinh Atan Atan2 Atanh BatchMatMul BatchMatMulV2
    BatchMatMulV3 Bincount BitwiseAnd BitwiseOr BitwiseXor Bucketize Cast Ceil
    ClipByValue Cos Cosh Cumprod Cumsum CumulativeLogsumexp DenseBincount
    Digamma Div DivNoNan Einsum Equal Erf Erfc Erfinv EuclideanNorm Exp Expm1
    Floor FloorDiv FloorMod Greater GreaterEqual Inv Invert IsFinite IsInf
    IsNan LeftShift Less LessEqual Lgamma LinSpace Log Log1p LogicalAnd
    LogicalNot LogicalOr MatMul Max Maximum Mean Min Minimum Mod Mul MulNoNan
    Neg NotEqual Pow Prod Range RealDiv Reciprocal RightShift Rint Round Rsqrt
    SegmentMax SegmentMean SegmentMin SegmentProd SegmentSum Sigmoid Sign Sin
    Sinh Sqrt Square SquaredDifference Sub Sum Tan Tanh TruncateDiv
    TruncateMod UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentProd
    UnsortedSegmentSum Xdivy Xlog1py Xlogy
"""
_ARRAYS = """
    BatchToSpaceND Bitcast BroadcastArgs BroadcastTo Concat ConcatOffset
    ConcatV2 ConjugateTranspose Const DepthToSpace Diag DiagPart EditDistance
    Empty EnsureShape ExpandDims Fill Fingerprint Gather GatherNd GatherV2
    InvertPermutation ListDiff LowerBound MatrixBandPart MatrixDiagPartV3
    MatrixDiagV3 MatrixSetDiagV3 MirrorPad OneHot OnesLike Pack Pad PadV2 Rank
    Reshape ReverseSequence ReverseV2 Roll ScatterNd Select SelectV2 Shape
    ShapeN Size Slice Snapshot SpaceToBatchND SpaceToDepth Split SplitV
    Squeeze StridedSlice TensorScatterAdd TensorScatterMax TensorScatterMin
    TensorScatterSub TensorScatterUpdate TensorStridedSliceUpdate Tile
    Transpose Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 Unpack
    UnravelIndex UpperBound Where ZerosLike
"""
_LISTS = """
    EmptyTensorList RaggedBincount RaggedGather RaggedRange
    RaggedTensorFromVariant RaggedTensorToSparse RaggedTensorToTensor
    RaggedTensorToVariant SparseFillEmptyRows SparseReorder SparseReshape
    SparseSegmentMean SparseSegmentSum SparseSlice SparseTensorDenseMatMul
    SparseToDense TensorListConcatV2 TensorListElementShape
    TensorListFromTensor TensorListGather TensorListGetItem TensorListLength
    TensorListPopBack TensorListPushBack TensorListReserve TensorListResize
    TensorListScatterIntoExistingList TensorListScatterV2 TensorListSetItem
    TensorListSplit TensorListStack
"""
_NETWORKS = """
    AvgPool AvgPool3D BiasAdd Conv2D Conv3D DepthwiseConv2dNative Elu
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 InTopKV2 L2Loss LRN
    LeakyRelu LogSoftmax MaxPool MaxPool3D MaxPoolV2 NthElement Relu Relu6
    Selu Softmax Softplus Softsign TopKV2
"""
_IMAGES = """
    AdjustContrastv2 AdjustHue AdjustSaturation CropAndResize
    DecodeAndCropJpeg DecodeBmp DecodeGif DecodeImage DecodeJpeg DecodePng
    EncodeJpeg EncodePng ExtractImagePatches ExtractJpegShape HSVToRGB
    ImageProjectiveTransformV3 RGBToHSV ResizeArea ResizeBicubic
    ResizeBilinear ResizeNearestNeighbor ScaleAndTranslate
"""
_TEXTS = """
    AsString DecodeBase64 DecodeRaw EncodeBase64 ReduceJoin RegexFullMatch
    RegexReplace StaticRegexFullMatch StaticRegexReplace StringFormat
    StringJoin StringLength StringLower StringNGrams StringSplit StringSplitV2
    StringStrip StringToHashBucketFast StringToHashBucketStrong StringToNumber
    StringUpper Substr UnicodeDecode UnicodeDecodeWithOffsets UnicodeEncode
    UnicodeScript UnicodeTranscode UnsortedSegmentJoin
"""
_DRAWS = """
    StatelessMultinomial StatelessRandomGetAlg StatelessRandomGetKeyCounter
    StatelessRandomGetKeyCounterAlg StatelessRandomNormal
    StatelessRandomNormalV2 StatelessRandomUniform
    StatelessRandomUniformFullIntV2 StatelessRandomUniformInt
    StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessShuffle
    StatelessTruncatedNormalV2
"""

ALLOWED_OPS = frozenset(
    f"{_CALLS}{_STATE}{_DATASETS}{_MATHS}{_ARRAYS}"
    f"{_LISTS}{_NETWORKS}{_IMAGES}{_TEXTS}{_DRAWS}".split()
)
# What the functions that save and restore the variables have besides.
SAVER_OPS = frozenset(
    "MergeV2Checkpoints RestoreV2 SaveV2 ShardedFilename".split()
)
