// What a program in TypeScript does by the SDK that `pulumi package add` writes: components of the package.
const pulumi = require("@pulumi/pulumi");

class Component extends pulumi.ComponentResource {
    constructor(kind, name, inputs, output) {
        super(`fileflow:index:${kind}`, name, { [output]: undefined, ...inputs }, {}, true);
    }
}

const config = new pulumi.Config();
const cluster = new Component("Cluster", "cluster", { clusterName: "shop", tags: { Project: "shop" } }, "clusterArn");
const alarms = new Component(
    "AlarmTopic",
    "alarms",
    { topicName: "shop-alarms", clusterArn: cluster.clusterArn, emails: ["on-call@example.com"] },
    "topicArn",
);
const nightly = new Component(
    "SchedulerService",
    "nightly",
    {
        clusterArn: cluster.clusterArn,
        serviceName: "shop-scheduler-nightly",
        family: "shop-scheduler-nightly",
        image: config.require("image"),
        port: config.requireNumber("port"),
        size: { cpu: 256, memoryMib: 512 },
        container: { environment: config.getObject("environment") },
        logGroupName: "/aws/ecs/shop-scheduler-nightly",
        placement: {
            vpcId: config.require("vpcId"),
            cidrBlock: "10.50.0.0/16",
            privateSubnetIds: [config.require("privateSubnetId")],
        },
        alarms: { topicArns: [alarms.topicArn] },
        tags: { Project: "shop" },
    },
    "serviceName",
);
exports.serviceName = nightly.serviceName;
